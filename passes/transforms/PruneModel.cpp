// See PruneModel.h.
#include "passes/transforms/PruneModel.h"

using namespace mlir;

namespace xfmr {
namespace {

// The first `cut.count` units of every choice, as query heads.
Indices firstHeads(AttentionUnits &units, const HeadCut &cut) {
  if (cut.mode == HeadMode::kvGroups)
    return firstIndices(cut.headsLeft(units));
  Indices heads;
  for (int64_t group = 0; group < units.numKvHeads(); ++group)
    for (int64_t i = 0; i < cut.count; ++i)
      heads.push_back(group * units.groupSize() + i);
  return heads;
}

} // namespace

LogicalResult cutModelHeads(ModelOp model, const HeadRequest &request, bool mask, CutCounts &counts) {
  FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, request.layers);
  if (failed(blocks))
    return failure();
  SmallVector<std::pair<AttentionUnits, HeadCut>> work;
  for (BlockOp block : *blocks)
    for (AttentionUnits &units : findAttentions(block)) {
      FailureOr<HeadCut> cut = checkHeads(units, request.heads, request.mode);
      if (failed(cut))
        return failure();
      work.push_back({units, *cut});
    }
  if (work.empty())
    return model.emitError("there is no attention to prune");
  IRRewriter rewriter(model.getContext());
  for (BlockOp block : *blocks)
    separateSplits(rewriter, block);
  for (auto &[units, cut] : work) {
    const int64_t before = units.numHeads(), after = cut.headsLeft(units);
    counts.add(before, after);
    if (before == after)
      continue;
    if (failed(cutHeads(rewriter, units, cut.mode, firstHeads(units, cut), mask)))
      return failure();
    units.attention.emitRemark(mask ? "zeroed " : "removed ")
        << before - after << " of " << before << " query heads";
  }
  eraseDeadWeights(model);
  return success();
}

LogicalResult cutModelFfn(ModelOp model, const FfnRequest &request, bool mask, CutCounts &counts) {
  FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, request.layers);
  if (failed(blocks))
    return failure();
  if (request.multipleOf < 1)
    return model.emitError("multiple-of is ") << request.multipleOf << ", expected 1 or more";
  SmallVector<std::pair<FeedForwardUnits, int64_t>> work;
  for (BlockOp block : *blocks)
    for (FeedForwardUnits &units : findFeedForwards(block)) {
      if (request.where != FfnPlace::all && (request.where == FfnPlace::experts) != bool(units.mixture))
        continue;
      if (failed(checkWidth(units, request.width)))
        return failure();
      const int64_t rounded = (request.width + request.multipleOf - 1) / request.multipleOf * request.multipleOf;
      work.push_back({units, std::min(rounded, units.width())});
    }
  if (work.empty())
    return model.emitError("there is no feed-forward network to prune");
  IRRewriter rewriter(model.getContext());
  for (BlockOp block : *blocks)
    separateSplits(rewriter, block);
  for (auto &[units, width] : work) {
    const int64_t before = units.width(), copies = units.copies();
    counts.add(before * copies, width * copies);
    if (before == width)
      continue;
    if (failed(cutChannels(rewriter, units, Kept(firstIndices(width)), mask)))
      return failure();
    units.hidden.getDefiningOp()->emitRemark(mask ? "zeroed " : "removed ")
        << before - width << " of " << before << " channels" << (units.mixture ? " of every expert" : "");
  }
  eraseDeadWeights(model);
  return success();
}

} // namespace xfmr
