// xfmr-mask-experts: shuts off the experts that xfmr-prune-experts removes.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRMASKEXPERTS
#include "passes/Passes.h.inc"

namespace {
struct MaskExperts : impl::XfmrMaskExpertsBase<MaskExperts> {
  using Base::Base;
  void runOnOperation() override {
    CutCounts counts;
    if (failed(cutModelExperts(getOperation(), {experts, layers, /*approximate=*/false}, XFMR_EXPERT_OPTIONS, /*mask=*/true, counts)))
      signalPassFailure();
    removed += counts.removed;
    kept += counts.kept;
  }
};
} // namespace
} // namespace xfmr
