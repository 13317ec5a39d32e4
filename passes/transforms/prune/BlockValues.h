// Values of one block for one chunk of windows: each is computed once, and dropped as soon as all that reads it is known.
#pragma once

#include "passes/calibration/Forward.h"

namespace xfmr {

class BlockValues {
public:
  /// The residual that enters the block.
  explicit BlockValues(MatrixF entering) : entering_(std::move(entering)) {}

  /// A value of the block, good until the next call. Errors are emitted.
  mlir::LogicalResult find(Forward &forward, int64_t window, mlir::Value wanted, const MatrixF *&out);
  /// Forgets all but what `input`, a value of the block or null, depends on.
  void keepOnlyBefore(mlir::Value input);
  size_t size() const { return known_.size(); }

private:
  void dropDone(mlir::Block &block, mlir::Value wanted);

  MatrixF entering_; // until the first value is asked for; then the argument's
  Activations known_;
};

} // namespace xfmr
