// xfmr-mute-heads: heads that are named give nothing.
#include "passes/ProbePasses.h"

#include "passes/transforms/PruneUnits.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRMUTEHEADS
#include "passes/ProbePasses.h.inc"

namespace {

struct MuteHeads : impl::XfmrMuteHeadsBase<MuteHeads> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(mute(getOperation())))
      signalPassFailure();
  }

  LogicalResult mute(ModelOp model) {
    if (heads.empty())
      return model.emitError("no head is named; heads=N,M says which");
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, SmallVector<int64_t>(layers.begin(), layers.end()));
    if (failed(blocks))
      return failure();
    IRRewriter rewriter(model.getContext());
    for (BlockOp block : *blocks)
      for (AttentionUnits &units : findAttentions(block)) {
        if (failed(checkHeads(units, units.numHeads(), HeadMode::perGroup)))
          return failure();
        for (int64_t head : heads)
          if (head < 0 || head >= units.numHeads())
            return units.attention.emitError("heads names head ")
                   << head << " of layer " << block.getLayer() << ", which has 0 to " << units.numHeads() - 1;
        SmallVector<int64_t> kept;
        for (int64_t head = 0; head < units.numHeads(); ++head)
          if (!llvm::is_contained(heads, head))
            kept.push_back(head);
        if (failed(cutHeads(rewriter, units, HeadMode::perGroup, kept, /*mask=*/true)))
          return failure();
        muted += units.numHeads() - static_cast<int64_t>(kept.size());
      }
    return success();
  }
};

} // namespace
} // namespace xfmr
