// The walk: a plan carried out block by block, in order, with the streams moved on from block to block.
#include "passes/transforms/prune/Walk.h"
#include "passes/analysis/LayerNote.h"
#include "passes/transforms/PruneColumns.h"

using namespace mlir;

namespace xfmr {

bool isMeant(const FeedForwardUnits &units, FfnPlace where) {
  MoeOp mixture = units.mixture;
  return where == FfnPlace::all || (where == FfnPlace::experts) == bool(mixture);
}

static LogicalResult cutBlock(PruneContext &prune, BlockOp block, BlockOp dense, const BlockPlan &plan) {
  SmallVector<AttentionUnits> attentions = findAttentions(block), denseAttentions = findAttentions(dense);
  for (auto [index, units] : llvm::enumerate(attentions)) {
    const std::string name = moduleName(block, "attention", index);
    if (plan.heads || prune.follows())
      if (failed(cutAttention(prune, units, denseAttentions[index], plan.heads, name)))
        return failure();
  }
  SmallVector<FeedForwardUnits> networks = findFeedForwards(block), denseNetworks = findFeedForwards(dense);
  if (plan.experts && failed(cutBlockExperts(prune, block, networks, denseNetworks, *plan.experts)))
    return failure();
  for (auto [index, units] : llvm::enumerate(networks)) {
    if (!plan.width || !isMeant(units, plan.where))
      continue;
    const std::string name = moduleName(block, "ffn", index);
    const int64_t before = units.width(), width = std::min(*plan.width, before);
    prune.counts.add(before * units.copies(), width * units.copies());
    if (failed(units.mixture ? cutMixture(prune, units, denseNetworks[index], width, name)
                             : cutNetwork(prune, units, denseNetworks[index], width, name)))
      return failure();
    if (width < before)
      units.hidden.getDefiningOp()->emitRemark(prune.mask ? "zeroed " : "removed ")
          << before - width << " of " << before << " channels" << (units.mixture ? " of every expert" : "")
          << layerNote(units.hidden.getDefiningOp());
  }
  return success();
}

LogicalResult walkBlocks(PruneContext &prune, ModelOp model, const char *doing,
                         llvm::function_ref<void(BlockOp)> prepare,
                         llvm::function_ref<LogicalResult(BlockOp, BlockOp)> change) {
  PruneStreams &streams = prune.streams;
  if (failed(streams.open()))
    return failure();
  const SmallVector<BlockOp> blocks(model.getBody().getOps<BlockOp>());
  int64_t done = 0;
  for (BlockOp block : blocks) {
    if (streams.running() && failed(streams.enter(block)))
      return failure();
    prepare(block);
    Operation *copy = block->clone();
    LogicalResult changed = change(block, cast<BlockOp>(copy));
    if (succeeded(changed) && streams.running())
      changed = streams.leave(block, cast<BlockOp>(copy));
    streams.forward().forgetWeights(); // of ops that are gone
    copy->erase();
    if (failed(changed))
      return failure();
    eraseDeadWeights(block);
    if (streams.running())
      reportProgress(model.getContext(), doing, ++done, static_cast<int64_t>(blocks.size()));
  }
  if (prune.options.recut == Recut::refuse && failed(refuseRoundingAgain(model)))
    return failure();
  prune.counts.moved = streams.distance();
  if (prune.repaired.empty())
    return success();
  if (Status status = prune.repaired.write(model, prune.options.out); status.failed())
    return model.emitError(status.message());
  return success();
}

LogicalResult cutModel(ModelOp model, ArrayRef<BlockPlan> plan, const CalibrationOptions &options, bool mask,
                       CutCounts &counts) {
  PruneContext prune(model, options, mask, counts);
  llvm::DenseMap<Operation *, const BlockPlan *> plans;
  for (auto [block, cuts] : llvm::zip(SmallVector<BlockOp>(model.getBody().getOps<BlockOp>()), plan))
    plans[block] = &cuts;
  auto prepare = [&](BlockOp block) {
    const BlockPlan &cuts = *plans[block];
    if (cuts.heads || cuts.width || prune.streams.differ())
      separateSplits(prune.rewriter, block);
  };
  return walkBlocks(prune, model, "pruning block", prepare,
                    [&](BlockOp block, BlockOp dense) { return cutBlock(prune, block, dense, *plans[block]); });
}

} // namespace xfmr
