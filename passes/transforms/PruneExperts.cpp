// xfmr-prune-experts: removes experts of mixtures with their router rows and biases, and refits the others' down
// projections.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNEEXPERTS
#include "passes/Passes.h.inc"

namespace {
struct PruneExperts : impl::XfmrPruneExpertsBase<PruneExperts> {
  using Base::Base;
  void runOnOperation() override {
    CutCounts counts;
    if (failed(cutModelExperts(getOperation(), {experts, layers, approximate}, XFMR_EXPERT_OPTIONS, /*mask=*/false, counts)))
      signalPassFailure();
    removed += counts.removed;
    kept += counts.kept;
  }
};
} // namespace
} // namespace xfmr
