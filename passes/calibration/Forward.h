// Runs parts of a model of the pure dialect on batches of token windows, in f32 over BLAS: what calibration needs often
// and fast. It computes only what is asked for. Tests hold it against the reference interpreter.
#pragma once

#include "dialect/Xfmr.h"
#include "passes/calibration/Matrix.h"
#include "weights/WeightSources.h"

#include "llvm/ADT/DenseMap.h"

namespace xfmr {

/// Values of one region under evaluation: rows are tokens, window after window. Token ids are [N, 1].
using Activations = llvm::DenseMap<mlir::Value, MatrixF>;

/// The tokens that one expert of a mixture is given.
struct ExpertTokens {
  llvm::SmallVector<int64_t> rows; // ascending
  llvm::SmallVector<float> gates;  // the weight of each
};

class Forward {
public:
  /// `sources` must outlive this object.
  explicit Forward(const WeightSources &sources) : sources_(sources) {}

  /// Adds the value of `wanted` to `known`, with all that it depends on, from what is known: the arguments of its
  /// region or later values. Windows are `window` tokens each. Errors are emitted at the op they concern.
  mlir::LogicalResult evaluate(mlir::Value wanted, int64_t window, Activations &known);

  /// Which tokens go to which expert for the mixture's input x [N, D]. With `subset` the router has these experts only;
  /// entry i of `out` is then expert subset[i].
  mlir::LogicalResult route(MoeOp mixture, const MatrixF &x, std::vector<ExpertTokens> &out,
                            llvm::ArrayRef<int64_t> subset = {});
  /// A value of an expert's region for its tokens x [n, D].
  mlir::LogicalResult evaluateExpert(MoeOp mixture, int64_t expert, mlir::Value wanted, MatrixF x, MatrixF &out);

  /// A weight as a matrix [rows, columns], a vector as [n, 1]. Inside an expert's region `expert` says which.
  /// Cached. Null after an error.
  const MatrixF *weight(mlir::Value expression, int64_t expert = -1);
  /// Gives the value of a weight that no source holds yet, or another one than its source holds.
  void provide(mlir::Value expression, MatrixF value, int64_t expert = -1) {
    weights_[{expression, expert}] = std::move(value);
  }
  /// The same, and forgetWeights() leaves it.
  void keep(mlir::Value expression, MatrixF value, int64_t expert = -1) {
    kept_[{expression, expert}] = std::move(value);
  }
  /// Weights are cached by Value: call this when ops have been erased.
  void forgetWeights() { weights_.clear(); }

private:
  friend class ForwardCall; // what the function of an op may ask for

  mlir::LogicalResult compute(mlir::Operation *op, int64_t window, Activations &known, int64_t expert);
  mlir::LogicalResult need(mlir::Value value, int64_t window, Activations &known, int64_t expert);
  mlir::LogicalResult mix(MoeOp mixture, const MatrixF &x, MatrixF &y);

  const WeightSources &sources_;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, MatrixF> weights_, kept_;
};

} // namespace xfmr
