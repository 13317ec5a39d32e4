// Where passes put weights while this lives: who only looks at a changed model leaves no files behind.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include "weights/ScratchFolder.h"
#include <optional>

namespace xfmr {

class PassOutput {
public:
  /// Nothing happens unless it is wanted.
  PassOutput(mlir::MLIRContext &context, bool wanted);

private:
  std::optional<ScratchFolder> folder_;
};

} // namespace xfmr
