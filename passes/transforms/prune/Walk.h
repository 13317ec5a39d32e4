// The walk over a model's blocks with both streams, and the joint fit of a mixture, for passes that change more than they cut.
#pragma once

#include "passes/transforms/prune/Cut.h"

namespace xfmr {

/// Takes both streams through the model and calls `change` with each block and a copy of it as it was, in order; `prepare`
/// comes before the copy is made; `doing` ("pruning block") is for who watches. Writes the weights that were made meanwhile.
mlir::LogicalResult walkBlocks(PruneContext &prune, ModelOp model, const char *doing,
                               llvm::function_ref<void(BlockOp)> prepare,
                               llvm::function_ref<mlir::LogicalResult(BlockOp block, BlockOp dense)> change);

/// Squared errors of a mixture over the squares of what it should give: before and after a fit.
struct FitErrors {
  double before = 0, after = 0;
};
/// Fits the down projections of all experts by one joint least squares to what `dense`, a mixture or the network that this
/// one was carved from, gave. The ridge pulls to what they are.
mlir::FailureOr<FitErrors> refitExperts(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense,
                                        llvm::StringRef name);

} // namespace xfmr
