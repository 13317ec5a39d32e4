// See Uniform.h. A query head whose output columns are zero adds nothing, whatever it attends to, nor does a channel whose
// down column is zero.
#include "export/Uniform.h"
#include "passes/transforms/PruneColumns.h"
#include "weights/Diagnostics.h"

using namespace mlir;

namespace xfmr::exports {

namespace {

struct Range {
  int64_t low = 0, high = 0;
  void add(int64_t value) {
    low = low == 0 ? value : std::min(low, value);
    high = std::max(high, value);
  }
  bool varies() const { return low != high; }
  std::string text() const { return (varies() ? std::to_string(low) + " to " : "") + std::to_string(high); }
};

/// Networks of one kind have one width: those of blocks without experts, those beside experts, and experts.
struct Ranges {
  Range plain, shared, expertWidth, experts, topK, keyHeads, groups, headDim;
  Range &widthOf(FeedForwardUnits &network, bool besideExperts) {
    return network.mixture ? expertWidth : besideExperts ? shared : plain;
  }
};

bool hasExperts(BlockOp block) { return !block.getBody().getOps<MoeOp>().empty(); }

Ranges rangesOf(ModelOp model) {
  Ranges ranges;
  for (BlockOp block : model.getBody().getOps<BlockOp>()) {
    for (AttentionUnits &attention : findAttentions(block)) {
      ranges.keyHeads.add(attention.numKvHeads());
      ranges.groups.add(attention.groupSize());
      ranges.headDim.add(attention.headDim());
    }
    for (FeedForwardUnits &network : findFeedForwards(block))
      ranges.widthOf(network, hasExperts(block)).add(network.width());
    for (MoeOp mixture : block.getBody().getOps<MoeOp>()) {
      ranges.experts.add(mixture.getNumExperts());
      ranges.topK.add(mixture.getRouting().getTopK());
    }
  }
  return ranges;
}

/// Indices of what is there, then -1 up to `count`.
Indices padded(int64_t present, int64_t count) {
  Indices indices = firstIndices(present);
  indices.resize(count, -1);
  return indices;
}

LogicalResult widen(IRRewriter &rewriter, FeedForwardUnits &network, int64_t width) {
  const Kept channels(padded(network.width(), width));
  if (failed(keepReadColumns(rewriter, network.hidden, channels, /*mask=*/false)))
    return failure();
  return keepProducedColumns(rewriter, network.hidden, channels);
}

LogicalResult widen(IRRewriter &rewriter, AttentionOp attention, int64_t numKvHeads, int64_t groupSize) {
  const int64_t present = attention.getNumKvHeads(), size = attention.getNumHeads() / present;
  Indices queries;
  for (int64_t group = 0; group < numKvHeads; ++group)
    for (int64_t head = 0; head < groupSize; ++head)
      queries.push_back(group < present && head < size ? group * size + head : -1);
  const Kept queryColumns(columnsOf(queries, attention.getHeadDim()));
  const Kept keyColumns(columnsOf(padded(present, numKvHeads), attention.getHeadDim()));
  if (failed(keepReadColumns(rewriter, attention.getResult(), queryColumns, /*mask=*/false)) ||
      failed(keepProducedColumns(rewriter, attention.getQuery(), queryColumns)) ||
      failed(keepProducedColumns(rewriter, attention.getKey(), keyColumns)) ||
      failed(keepProducedColumns(rewriter, attention.getValue(), keyColumns)))
    return failure();
  attention.getResult().setType(cast<RankedTensorType>(attention.getQuery().getType()));
  if (Value sinks = attention.getSinks()) {
    rewriter.setInsertionPoint(attention);
    attention.getSinksMutable().assign(selectWeight(rewriter, sinks, 0, queries));
  }
  attention.setNumKvHeads(numKvHeads);
  attention.setNumHeads(numKvHeads * groupSize);
  return success();
}

Status widenBlock(IRRewriter &rewriter, BlockOp block, Ranges &ranges) {
  const std::string where = "block " + std::to_string(block.getLayer()) + ": ";
  CollectedErrors errors(block.getContext());
  for (FeedForwardUnits &network : findFeedForwards(block)) {
    const int64_t width = ranges.widthOf(network, hasExperts(block)).high;
    if (network.width() == width)
      continue;
    if (!network.refusal.empty())
      return Status::error(where + "its feed-forward network cannot be padded: " + network.refusal);
    if (failed(widen(rewriter, network, width)))
      return errors.status();
  }
  for (AttentionUnits &attention : findAttentions(block)) {
    if (attention.numKvHeads() == ranges.keyHeads.high && attention.groupSize() == ranges.groups.high)
      continue;
    if (!attention.refusal.empty())
      return Status::error(where + "its attention cannot be padded with heads of zeros: " + attention.refusal);
    if (failed(widen(rewriter, attention.attention, ranges.keyHeads.high, ranges.groups.high)))
      return errors.status();
  }
  return Status::success();
}

} // namespace

Status makeUniform(ModelOp model, const FixedShapes &fixed, std::vector<std::string> &notes) {
  IRRewriter rewriter(model.getContext());
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    separateSplits(rewriter, block);
  Ranges ranges = rangesOf(model);
  if (fixed.oneKeyHead && ranges.keyHeads.high == 1)
    ranges.groups.high = std::max(ranges.groups.high, fixed.leastHeads);
  else
    ranges.keyHeads.high = std::max(ranges.keyHeads.high, (fixed.leastHeads + ranges.groups.high - 1) / ranges.groups.high);
  ranges.plain.high = (ranges.plain.high + fixed.widthStep - 1) / fixed.widthStep * fixed.widthStep;
  if (ranges.headDim.varies())
    return Status::error("layers have head sizes " + ranges.headDim.text() + ", which the format cannot express");
  if (ranges.experts.varies() || ranges.topK.varies())
    return Status::error("layers have " + ranges.experts.text() + " experts of which a token uses " + ranges.topK.text() +
                         ": the format has one number for all, and an expert of zeros would still be chosen");
  for (const auto &[range, what] : {std::pair(ranges.plain, "feed-forward"), std::pair(ranges.shared, "shared expert"),
                                    std::pair(ranges.expertWidth, "expert")})
    if (range.varies())
      notes.push_back(std::string("layers have ") + what + " widths " + range.text() +
                      ", the format has one for all: narrower ones are padded with channels of zeros, which changes no result");
  if (ranges.keyHeads.varies() || ranges.groups.varies())
    notes.push_back("layers have " + ranges.keyHeads.text() + " key/value heads with " + ranges.groups.text() +
                    " query heads each, the format has one number for all: fewer are padded with heads of zeros, which changes no result");
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    if (Status status = widenBlock(rewriter, block, ranges); status.failed())
      return status;
  eraseDeadWeights(model);
  return Status::success();
}

} // namespace xfmr::exports
