// xfmr-mask-experts: shuts off the experts that xfmr-prune-experts removes.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRMASKEXPERTS
#include "passes/Passes.h.inc"

namespace {
struct MaskExperts : ExpertsPass<impl::XfmrMaskExpertsBase<MaskExperts>> {
  using ExpertsPass::ExpertsPass;
  void runOnOperation() override {
    CutCounts counts;
    const mlir::LogicalResult cut =
        cutModelExperts(getOperation(), {experts, layers, /*approximate=*/false}, calibration(), /*mask=*/true, counts);
    finish(cut, counts, calibration());
  }
};
} // namespace
} // namespace xfmr
