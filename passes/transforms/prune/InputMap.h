// A map of what projections read on the pruned path to what they read on the dense one, folded into their weights.
#pragma once

#include "passes/transforms/prune/Cut.h"

namespace xfmr {

/// The linears and GLUs behind the columns of a value.
void findProjections(mlir::Value value, llvm::SmallVectorImpl<mlir::Operation *> &found);

class InputMap {
public:
  /// The projections read x^ where the dense model reads x. W becomes W M with M = I + (X - X^) X^^T (X^ X^^T + ridge I)^-1,
  /// the ridge regression of x on x^ pulled to the identity. Until apply() the ops stay, only their values change.
  mlir::LogicalResult measure(PruneContext &prune, mlir::ValueRange projected, mlir::ValueRange denseProjected);
  /// Gives the projections, cut meanwhile, their mapped weights as tensors NAME.in0.weight, … Does nothing without a map.
  mlir::LogicalResult apply(PruneContext &prune, llvm::StringRef name);

private:
  MatrixD map_; // [D, D], or empty
  llvm::SmallVector<mlir::Operation *> projections_;
  llvm::SmallVector<mlir::Value> weights_; // of the projections when the map was made
};

} // namespace xfmr
