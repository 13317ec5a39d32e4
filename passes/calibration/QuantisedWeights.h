// Rounded matrices on their way into a file: tensors of packed rows, and the weights that name them.
#pragma once

#include "passes/calibration/ErrorFeedback.h"
#include "runtime/artifact/Status.h"

#include "mlir/IR/Builders.h"

namespace xfmr {

class QuantisedWeights {
public:
  explicit QuantisedWeights(ModelOp model);

  /// A weight of a quantised `type`, whose rows are `bytes`. The name gets a number where it is taken.
  mlir::Value add(mlir::OpBuilder &builder, mlir::Location loc, const std::string &name, mlir::RankedTensorType type,
                  std::vector<uint8_t> bytes);
  bool empty() const { return tensors_.empty(); }
  /// Writes the file, whole or not at all, and adds it to the model's sources. An empty `path` means quantized-HASH.safetensors.
  Status write(ModelOp model, const std::string &path);

private:
  struct Stored {
    std::string name;
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };
  std::string source_;
  std::vector<Stored> tensors_;
};

} // namespace xfmr
