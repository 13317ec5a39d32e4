// Removes chosen units (heads, channels, experts), and checks what a user asked for against what is there.
#pragma once

#include "passes/PruneOptions.h"
#include "passes/transforms/PruneColumns.h"

namespace xfmr {

/// How many units a pass took and left.
struct CutCounts {
  int64_t removed = 0, kept = 0;
  std::optional<double> moved; // squared distance of the last residual to the dense model's, as a share of its square
  void add(int64_t before, int64_t after) {
    removed += before - after;
    kept += after;
  }
};

/// What one attention keeps: `count` query heads in each group, or `count` whole groups.
struct HeadCut {
  HeadMode mode = HeadMode::perGroup;
  int64_t count = 0;

  /// Groups of query heads that are chosen among together: heads one by one, or whole groups.
  /// Unit u is query heads u*w .. (u+1)*w - 1 with this width w.
  int64_t unitHeads(AttentionUnits &units) const { return mode == HeadMode::perGroup ? 1 : units.groupSize(); }
  int64_t headsLeft(AttentionUnits &units) const {
    return count * (mode == HeadMode::perGroup ? units.numKvHeads() : units.groupSize());
  }
};

/// The cut that leaves `heads` query heads. Fails, with an error at the op, where that is impossible or not exact.
mlir::FailureOr<HeadCut> checkHeads(AttentionUnits &units, int64_t heads, HeadMode mode);
/// Fails, with an error at the op, where the network cannot be cut to `width` channels.
mlir::LogicalResult checkWidth(FeedForwardUnits &units, int64_t width);
/// Fails, with an error at the op, where the mixture cannot do with `experts`. Where the weights of those that stay would
/// change that is an error too, with `approximate` a warning.
mlir::LogicalResult checkExperts(MoeOp mixture, int64_t experts, bool approximate);

/// Keeps these query heads, ascending, and, by whole groups, the key and value heads they use. Splits must be separate.
mlir::LogicalResult cutHeads(mlir::IRRewriter &rewriter, AttentionUnits &units, HeadMode mode,
                             llvm::ArrayRef<int64_t> heads, bool mask);
mlir::LogicalResult cutChannels(mlir::IRRewriter &rewriter, FeedForwardUnits &units, const Kept &kept, bool mask);
void cutExperts(mlir::IRRewriter &rewriter, MoeOp mixture, llvm::ArrayRef<int64_t> kept);

/// The blocks of `model` whose layer number is in `layers`, all if that is empty. Fails, with an error at the
/// model, on a number that no block has.
mlir::FailureOr<llvm::SmallVector<BlockOp>> blocksOf(ModelOp model, llvm::ArrayRef<int64_t> layers);

} // namespace xfmr
