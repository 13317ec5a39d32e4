// xfmr-prune-heads: removes query heads inside groups, or whole key/value groups. Exact: equal to zeroing them.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNEHEADS
#include "passes/Passes.h.inc"

namespace {
struct PruneHeads : UnitsPass<impl::XfmrPruneHeadsBase<PruneHeads>> {
  using UnitsPass::UnitsPass;
  void runOnOperation() override {
    CutCounts counts;
    finish(cutModelHeads(getOperation(), {heads, mode, layers}, calibration(), /*mask=*/false, counts), counts,
           calibration());
  }
};
} // namespace
} // namespace xfmr
