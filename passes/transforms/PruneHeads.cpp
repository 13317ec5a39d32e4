// xfmr-prune-heads: removes query heads inside groups, or whole key/value groups. Exact: equal to zeroing them.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNEHEADS
#include "passes/Passes.h.inc"

namespace {
struct PruneHeads : impl::XfmrPruneHeadsBase<PruneHeads> {
  using Base::Base;
  void runOnOperation() override {
    CutCounts counts;
    if (failed(cutModelHeads(getOperation(), {heads, mode, layers}, XFMR_CALIBRATION_OPTIONS,
                             /*mask=*/false, counts)))
      signalPassFailure();
    removed += counts.removed;
    kept += counts.kept;
  }
};
} // namespace
} // namespace xfmr
