// xfmr-prune-layers: removes whole blocks and numbers the others again.
#include "passes/Passes.h"
#include "passes/transforms/PruneDepth.h"
#include "passes/transforms/PruneUnits.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNELAYERS
#include "passes/Passes.h.inc"

FailureOr<SmallVector<BlockOp>> blocksToRemove(ModelOp model, ArrayRef<int64_t> layers, int64_t keep) {
  SmallVector<BlockOp> all(model.getBody().getOps<BlockOp>());
  const int64_t present = all.size();
  if (layers.empty() == (keep == 0))
    return model.emitError("expected either layers or keep");
  SmallVector<BlockOp> gone;
  if (!layers.empty()) {
    FailureOr<SmallVector<BlockOp>> named = blocksOf(model, layers);
    if (failed(named))
      return failure();
    gone = *named;
    if (static_cast<int64_t>(gone.size()) == present)
      return model.emitError("cannot remove all ") << present << " layers";
  } else {
    if (keep < 1 || keep > present)
      return model.emitError("cannot keep ") << keep << " layers, expected 1 to " << present;
    gone.assign(all.begin() + keep, all.end());
  }
  for (BlockOp block : gone)
    if (block.getInputs().getTypes() != block.getResultTypes())
      return block.emitError("a block whose results are not of its inputs' types cannot be removed");
  return gone;
}

namespace {
struct PruneLayers : impl::XfmrPruneLayersBase<PruneLayers> {
  using Base::Base;
  void runOnOperation() override {
    ModelOp model = getOperation();
    FailureOr<SmallVector<BlockOp>> gone = blocksToRemove(model, layers, keep);
    if (failed(gone))
      return signalPassFailure();
    for (BlockOp block : *gone) {
      block.emitRemark("removed layer ") << block.getLayer();
      block.replaceAllUsesWith(block.getInputs());
      block.erase();
    }
    removed += gone->size();
    int64_t next = 0;
    for (BlockOp block : model.getBody().getOps<BlockOp>())
      block.setLayer(next++);
    kept += next;
  }
};
} // namespace
} // namespace xfmr
