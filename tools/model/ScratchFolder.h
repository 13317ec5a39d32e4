// Where passes put weights while this lives: who only looks at a changed model leaves no files behind.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include <string>

namespace xfmr {

class ScratchFolder {
public:
  /// Nothing happens unless it is wanted.
  ScratchFolder(mlir::MLIRContext &context, bool wanted);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;

private:
  std::string folder_;
};

} // namespace xfmr
