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
    finish(cutModelHeads(getOperation(), {heads, mode, layers}, calibration(), /*mask=*/true, counts), counts,
           calibration());
  }
};
} // namespace
} // namespace xfmr
