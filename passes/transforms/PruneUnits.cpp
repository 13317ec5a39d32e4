// See PruneUnits.h.
#include "passes/transforms/PruneUnits.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace xfmr {

FailureOr<HeadCut> checkHeads(AttentionUnits &units, int64_t heads, HeadMode mode) {
  AttentionOp attention = units.attention;
  const int64_t present = units.numHeads(), groups = units.numKvHeads(), size = units.groupSize();
  if (heads < 1 || heads > present)
    return attention.emitError("cannot keep ") << heads << " heads, expected 1 to " << present
                                               << (heads ? "" : "; heads=N says how many");
  if (mode == HeadMode::perGroup && heads % groups != 0)
    return attention.emitError("cannot keep ")
           << heads << " heads, expected a multiple of the " << groups
           << " key/value groups; mode=kv-groups removes whole groups";
  if (mode == HeadMode::kvGroups && heads % size != 0)
    return attention.emitError("cannot keep ")
           << heads << " heads, expected a multiple of the " << size << " heads of a group; mode=per-group removes "
           << "heads inside groups";
  if (!units.refusal.empty()) {
    InFlightDiagnostic error = attention.emitError("heads cannot be removed exactly: ") << units.refusal;
    if (units.at != attention)
      error.attachNote(units.at->getLoc()) << "by this op";
    return error;
  }
  return HeadCut{mode, mode == HeadMode::perGroup ? heads / groups : heads / size};
}

LogicalResult checkWidth(FeedForwardUnits &units, int64_t width) {
  Operation *op = units.hidden.getDefiningOp();
  if (width < 1 || width > units.width())
    return op->emitError("cannot keep ") << width << " channels, expected 1 to " << units.width()
                                         << (width ? "" : "; width=N says how many");
  if (units.refusal.empty())
    return success();
  InFlightDiagnostic error = op->emitError("channels cannot be removed exactly: ") << units.refusal;
  if (units.at != op)
    error.attachNote(units.at->getLoc()) << "by this op";
  return error;
}

LogicalResult checkExperts(MoeOp mixture, int64_t experts, bool approximate) {
  RoutingAttr routing = mixture.getRouting();
  const int64_t present = mixture.getNumExperts(), groups = routing.getNGroup();
  if (experts < 1 || experts > present)
    return mixture.emitError("cannot keep ") << experts << " experts, expected 1 to " << present
                                             << (experts ? "" : "; experts=N says how many");
  if (experts % groups != 0)
    return mixture.emitError("cannot keep ")
           << experts << " experts, expected a multiple of the router's " << groups << " groups";
  const int64_t reachable = experts / groups * routing.getTopkGroup();
  if (routing.getTopK() > reachable)
    return mixture.emitError("cannot keep ")
           << experts << " experts: the router chooses top_k = " << routing.getTopK() << " among "
           << (groups > 1 ? "the " : "") << reachable << (groups > 1 ? " of its best groups" : "");
  if (routing.getGroupScore() == GroupScore::sum_top2 && groups > 1 && experts / groups < 2)
    return mixture.emitError("cannot keep ") << experts << " experts: the router sums the two best of each of its "
                                             << groups << " groups";
  const std::string refusal = expertRefusal(mixture);
  if (refusal.empty() || experts == present)
    return success();
  if (!approximate)
    return mixture.emitError("experts cannot be removed exactly: ") << refusal << "; approximate=true removes them so";
  mixture.emitWarning("the experts that stay get other weights: ") << refusal;
  return success();
}

LogicalResult cutHeads(IRRewriter &rewriter, AttentionUnits &units, HeadMode mode, ArrayRef<int64_t> heads,
                       bool mask) {
  AttentionOp attention = units.attention;
  const int64_t width = units.headDim(), size = units.groupSize();
  Kept columns(columnsOf(heads, width));
  if (failed(keepReadColumns(rewriter, attention.getResult(), columns, mask)))
    return failure();
  if (mask)
    return success();
  if (failed(keepProducedColumns(rewriter, attention.getQuery(), columns)))
    return failure();
  attention.getResult().setType(cast<RankedTensorType>(attention.getQuery().getType()));
  if (mode == HeadMode::kvGroups) {
    Indices groups;
    for (int64_t head : heads)
      if (groups.empty() || groups.back() != head / size)
        groups.push_back(head / size);
    Kept groupColumns(columnsOf(groups, width));
    for (Value operand : {attention.getKey(), attention.getValue()})
      if (failed(keepProducedColumns(rewriter, operand, groupColumns)))
        return failure();
    attention.setNumKvHeads(groups.size());
  }
  if (Value sinks = attention.getSinks()) {
    rewriter.setInsertionPoint(attention);
    attention.getSinksMutable().assign(selectWeight(rewriter, sinks, 0, heads));
  }
  attention.setNumHeads(heads.size());
  return success();
}

LogicalResult cutChannels(IRRewriter &rewriter, FeedForwardUnits &units, const Kept &kept, bool mask) {
  if (kept.size() == units.width())
    return success();
  if (failed(keepReadColumns(rewriter, units.hidden, kept, mask)))
    return failure();
  return mask ? success() : keepProducedColumns(rewriter, units.hidden, kept);
}

void cutExperts(IRRewriter &rewriter, MoeOp mixture, ArrayRef<int64_t> kept) {
  rewriter.setInsertionPoint(mixture);
  for (OpOperand &operand : mixture->getOpOperands().drop_front()) // all but the input
    operand.set(selectWeight(rewriter, operand.get(), 0, kept));
}

FailureOr<SmallVector<BlockOp>> blocksOf(ModelOp model, ArrayRef<int64_t> layers) {
  SmallVector<BlockOp> blocks;
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    if (layers.empty() || llvm::is_contained(layers, static_cast<int64_t>(block.getLayer())))
      blocks.push_back(block);
  for (int64_t layer : layers)
    if (llvm::none_of(blocks, [&](BlockOp block) { return static_cast<int64_t>(block.getLayer()) == layer; }))
      return model.emitError("there is no layer ") << layer;
  return blocks;
}

} // namespace xfmr
