// xfmr-mask-ffn: zeroes what xfmr-prune-ffn removes.
#include "passes/Passes.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRMASKFFN
#include "passes/Passes.h.inc"

namespace {
struct MaskFfn : UnitsPass<impl::XfmrMaskFfnBase<MaskFfn>> {
  using UnitsPass::UnitsPass;
  void runOnOperation() override {
    CutCounts counts;
    const mlir::LogicalResult cut =
        cutModelFfn(getOperation(), {llvm::StringRef(width), multipleOf, where, layers}, calibration(), /*mask=*/true, counts);
    finish(cut, counts, calibration());
  }
};
} // namespace
} // namespace xfmr
