// xfmr-prune-ffn: removes channels of feed-forward networks, inside experts too. Exact: equal to zeroing them.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNEFFN
#include "passes/Passes.h.inc"

namespace {
struct PruneFfn : UnitsPass<impl::XfmrPruneFfnBase<PruneFfn>> {
  using UnitsPass::UnitsPass;
  void runOnOperation() override {
    CutCounts counts;
    const mlir::LogicalResult cut =
        cutModelFfn(getOperation(), {llvm::StringRef(width), multipleOf, where, layers}, calibration(), /*mask=*/false, counts);
    finish(cut, counts, calibration());
  }
};
} // namespace
} // namespace xfmr
