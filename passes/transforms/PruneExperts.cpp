// xfmr-prune-experts: removes experts of mixtures with their router rows and biases, and refits the others' down
// projections.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNEEXPERTS
#include "passes/Passes.h.inc"

namespace {
struct PruneExperts : ExpertsPass<impl::XfmrPruneExpertsBase<PruneExperts>> {
  using ExpertsPass::ExpertsPass;
  void runOnOperation() override {
    CutCounts counts;
    finish(cutModelExperts(getOperation(), {experts, layers, approximate}, calibration(), /*mask=*/false, counts),
           counts, calibration());
  }
};
} // namespace
} // namespace xfmr
