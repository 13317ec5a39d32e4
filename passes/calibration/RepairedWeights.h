// Weights that a pass has computed: ops that name them, and the safetensors file that holds them in the end.
#pragma once

#include "passes/calibration/Forward.h"

#include "mlir/IR/Builders.h"

namespace xfmr {

class RepairedWeights {
public:
  /// Takes a source name that `model` does not use yet: KIND, "KIND2", ...
  explicit RepairedWeights(ModelOp model, llvm::StringRef kind = "repaired");

  /// A weight of `type`, whose entries are `value`'s in row-major order (f32 in the file; a 16-bit type is a cast of it).
  /// Gives its value to `forward` too.
  mlir::Value add(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name, mlir::RankedTensorType type,
                  MatrixF value, Forward &forward);

  bool empty() const { return tensors_.empty(); }
  /// Writes the tensors that are named, whole or not at all, and adds the file to the model's sources. An empty `path` means
  /// KIND-HASH.safetensors, HASH of what it holds, where SourcePlaces say.
  Status write(ModelOp model, const std::string &path);

private:
  struct Stored {
    std::string name;
    std::vector<int64_t> shape;
    MatrixF value;
  };
  std::string kind_, source_;
  std::vector<Stored> tensors_;
};

} // namespace xfmr
