// A dense feed-forward network put into the region of a mixture whose experts are equal copies of it. Upcycling stops
// there; carving gives each expert channels of its own.
#pragma once

#include "passes/analysis/Units.h"

#include "mlir/IR/PatternMatch.h"

namespace xfmr {

/// A network outside mixtures whose ops all lie between one value that its projections read and its result.
struct DenseNetwork {
  FeedForwardUnits units;
  mlir::Value input;                        // [T, D]
  llvm::SmallVector<mlir::Operation *> ops; // in program order; the last one is the down projection
};

/// How many experts there are to be, of which a token uses `topK`.
struct ExpertShape {
  int64_t experts, topK;
};

/// Fails, with an error at the model, on numbers that no router has.
mlir::LogicalResult checkShape(ModelOp model, ExpertShape shape);

/// Fails, with an error at the op in the way, where the ops are more than projections of one value and what is between.
mlir::FailureOr<DenseNetwork> denseNetworkOf(const FeedForwardUnits &units);
/// The networks of these blocks that can become mixtures, one a block; a remark says why a block with a mixture has none.
/// Fails, with an error, on blocks of several networks, and where none is found.
mlir::LogicalResult findDenseNetworks(ModelOp model, llvm::ArrayRef<BlockOp> blocks,
                                      llvm::SmallVectorImpl<DenseNetwork> &found);

/// The same network as `experts` equal copies, Mixtral's routing over a router [E, D] of zeros. The ops are replaced;
/// what the experts' weights are is said by stacks. Gives the network of an expert.
FeedForwardUnits makeMixture(mlir::IRRewriter &rewriter, DenseNetwork &network, ExpertShape shape);

/// softmax over all, the top_k largest, normalised: their weights sum to one.
RoutingAttr normalisedRouting(mlir::MLIRContext *context, int64_t topK);

} // namespace xfmr
