// xfmr-prune-experts: removes experts of mixtures with their router rows and biases.
#include "passes/Passes.h"
#include "passes/transforms/PruneUnits.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNEEXPERTS
#include "passes/Passes.h.inc"

namespace {

// The first experts of every group of the router.
Indices firstExperts(MoeOp mixture, int64_t experts) {
  const int64_t groups = mixture.getRouting().getNGroup(), size = mixture.getNumExperts() / groups;
  Indices kept;
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t i = 0; i < experts / groups; ++i)
      kept.push_back(group * size + i);
  return kept;
}

struct PruneExperts : impl::XfmrPruneExpertsBase<PruneExperts> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

  LogicalResult run() {
    ModelOp model = getOperation();
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, layers);
    if (failed(blocks))
      return failure();
    SmallVector<MoeOp> mixtures;
    for (BlockOp block : *blocks)
      block.walk([&](MoeOp mixture) { mixtures.push_back(mixture); });
    if (mixtures.empty())
      return model.emitError("there is no mixture to prune");
    for (MoeOp mixture : mixtures)
      if (failed(checkExperts(mixture, experts)))
        return failure();
    IRRewriter rewriter(&getContext());
    for (MoeOp mixture : mixtures) {
      const int64_t before = mixture.getNumExperts();
      kept += experts;
      removed += before - experts;
      if (before == experts)
        continue;
      cutExperts(rewriter, mixture, firstExperts(mixture, experts));
      mixture.emitRemark("removed ") << before - experts << " of " << before << " experts";
    }
    return success();
  }
};

} // namespace
} // namespace xfmr
