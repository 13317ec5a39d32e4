// xfmr-mask-heads: zeroes what xfmr-prune-heads removes.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRMASKHEADS
#include "passes/Passes.h.inc"

namespace {
struct MaskHeads : impl::XfmrMaskHeadsBase<MaskHeads> {
  using Base::Base;
  void runOnOperation() override {
    CutCounts counts;
    if (failed(cutModelHeads(getOperation(), {heads, mode, layers}, XFMR_CALIBRATION_OPTIONS,
                             /*mask=*/true, counts)))
      signalPassFailure();
    removed += counts.removed;
    kept += counts.kept;
  }
};
} // namespace
} // namespace xfmr
