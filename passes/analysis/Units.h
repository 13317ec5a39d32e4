// Finds what structural pruning removes: the heads of an attention, the channels of a feed-forward network, the
// experts of a mixture. Says in words why a place cannot be cut exactly; changes nothing.
#pragma once

#include "dialect/Xfmr.h"

namespace xfmr {

/// One attention and the output projection that reads it.
struct AttentionUnits {
  AttentionOp attention;
  LinearOp out;        // [D, H*h]: the widest linear on the attention's result
  std::string refusal; // why heads cannot be removed exactly; empty when they can
  mlir::Operation *at; // the op that the refusal concerns

  int64_t numHeads() { return attention.getNumHeads(); }
  int64_t numKvHeads() { return attention.getNumKvHeads(); }
  int64_t groupSize() { return numHeads() / numKvHeads(); }
  int64_t headDim() { return attention.getHeadDim(); }
};

/// One feed-forward network: `hidden` [T, F] is what the down projection reads.
struct FeedForwardUnits {
  mlir::Value hidden;
  LinearOp down;       // [D, F]: the widest linear on `hidden`
  MoeOp mixture;       // the mixture whose expert this is, or null
  std::string refusal; // why channels cannot be removed exactly; empty when they can
  mlir::Operation *at; // the op that the refusal concerns

  int64_t width();
  /// Experts that hold such a network each; 1 outside a mixture.
  int64_t copies() { return mixture ? mixture.getNumExperts() : 1; }
};

/// In program order.
llvm::SmallVector<AttentionUnits> findAttentions(BlockOp block);
llvm::SmallVector<FeedForwardUnits> findFeedForwards(BlockOp block);

/// Why experts of a mixture cannot be removed without changing what the others give; empty when they can.
std::string expertRefusal(MoeOp mixture);

} // namespace xfmr
