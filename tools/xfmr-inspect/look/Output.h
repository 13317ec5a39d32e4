// The way from the residual stream to the logits: all of it for the lens, its linear part for direct attribution, where the
// divisors of the norms are those of the token at hand ("frozen"), so that contributions add up.
#pragma once

#include "passes/calibration/Forward.h"
#include "runtime/artifact/Status.h"

namespace xfmr::inspect {

/// A norm at rows of its input with the divisor kept: y = frozen(x) w + b.
/// The transpose of that linear map at each row: u [n, D] of what the norm gives becomes that of what it reads.
/// Null `forward.weight` errors fail.
mlir::LogicalResult pullThroughNorm(mlir::Operation *norm, const MatrixF &input, Forward &forward, MatrixF &u);

class Output {
public:
  /// Errors: a model without blocks. `forward` must outlive this object, its weights not forgotten while it is used.
  Status open(ModelOp model, Forward &forward);

  /// Logits [n, V] of rows [n, D] of the residual stream as it is after the last block.
  mlir::LogicalResult logits(const MatrixF &residual, MatrixF &out);

  /// Why contributions cannot be told; empty when they can. How the final norm is treated, for people.
  const std::string &refusal() const { return refusal_; }
  std::string how() const;

  /// For each row of `residual` the direction u [n, D] whose product with any vector of the residual stream is what that adds to
  /// the logit of the row's token, before a cap; and what the logit has beside: biases [n].
  mlir::LogicalResult directions(const MatrixF &residual, llvm::ArrayRef<int32_t> tokens, MatrixF &u,
                                 std::vector<float> &constants);

private:
  ModelOp model_;
  Forward *forward_ = nullptr;
  mlir::Value last_;                            // what the last block gives
  llvm::SmallVector<mlir::Operation *> before_; // norms and factors in front of the head, in order
  LinearOp head_;
  float after_ = 1; // factors behind it
  bool capped_ = false;
  std::string refusal_;
};

} // namespace xfmr::inspect
