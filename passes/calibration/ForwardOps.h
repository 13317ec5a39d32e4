// Which function computes which op during calibration, and what such a function sees.
#pragma once

#include "passes/calibration/Forward.h"

namespace xfmr {

/// One op under evaluation. A reference to a value is good until the next one is asked for or set.
class ForwardCall {
public:
  ForwardCall(Forward &forward, Activations &known, int64_t window, int64_t expert)
      : window(window), forward_(forward), known_(known), expert_(expert) {}

  const int64_t window; // tokens in a row that belong together

  /// Computes what is not known yet. Fails after an error.
  mlir::LogicalResult need(mlir::ValueRange values) {
    for (mlir::Value value : values)
      if (failed(forward_.need(value, window, known_, expert_)))
        return mlir::failure();
    return mlir::success();
  }
  /// A value that has been needed.
  const MatrixF &get(mlir::Value value) const { return known_.find(value)->second; }
  void set(mlir::Value value, MatrixF y) { known_[value] = std::move(y); }
  /// Null after an error, or where there is no such weight.
  const MatrixF *weight(mlir::Value expression) { return expression ? forward_.weight(expression, expert_) : nullptr; }

  /// y of a mixture for its input x.
  mlir::LogicalResult mix(MoeOp mixture, const MatrixF &x, MatrixF &y) { return forward_.mix(mixture, x, y); }
  /// A value of a region whose arguments are given.
  mlir::LogicalResult evaluate(mlir::Value wanted, Activations &inner) {
    return forward_.need(wanted, window, inner, expert_);
  }

private:
  Forward &forward_;
  Activations &known_;
  const int64_t expert_;
};

/// Reads operands, sets results. Errors are emitted at the op.
using ForwardFunction = mlir::LogicalResult (*)(mlir::Operation *, ForwardCall &);

/// Null for an op that calibration does not know.
ForwardFunction forwardOf(llvm::StringRef opName);

} // namespace xfmr
