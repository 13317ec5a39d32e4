// xfmr-mask-heads: zeroes what xfmr-prune-heads removes.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRMASKHEADS
#include "passes/Passes.h.inc"

namespace {
struct MaskHeads : UnitsPass<impl::XfmrMaskHeadsBase<MaskHeads>> {
  using UnitsPass::UnitsPass;
  void runOnOperation() override {
    CutCounts counts;
    if (failed(cutModelHeads(getOperation(), {heads, mode, layers}, calibration(),
                             /*mask=*/true, counts)))
      signalPassFailure();
    removed += counts.removed;
    kept += counts.kept;
  }
};
} // namespace
} // namespace xfmr
