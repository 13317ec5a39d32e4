// Where passes put weights while this lives: who only looks at a changed model, or writes a file that takes them in, leaves
// no others behind.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include "weights/ScratchFolder.h"
#include <optional>

namespace xfmr {

class PassOutput {
public:
  /// Nothing happens unless it is wanted.
  PassOutput(mlir::MLIRContext &context, bool wanted);
  /// Beside the file or folder `output`.
  PassOutput(mlir::MLIRContext &context, const std::string &output);

  /// Whether there is a place; errno says why not.
  bool exists() const { return folder_ && folder_->exists(); }

private:
  void use(mlir::MLIRContext &context);

  std::optional<ScratchFolder> folder_;
};

} // namespace xfmr
