// xfmr-prune-layers: removes whole blocks and numbers the others again.
#include "passes/Passes.h"
#include "passes/transforms/PruneDepth.h"
#include "weights/Summary.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRPRUNELAYERS
#include "passes/Passes.h.inc"

namespace {
struct PruneLayers : impl::XfmrPruneLayersBase<PruneLayers> {
  using Base::Base;
  void runOnOperation() override {
    ModelOp model = getOperation();
    FailureOr<SmallVector<BlockOp>> gone = blocksToRemove(
        model, {layers, keep, method, std::vector<std::string>(texts.begin(), texts.end()), window});
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
    summarise(&getContext(), "xfmr-prune-layers: removed " + std::to_string(gone->size()) + " of " +
                                 std::to_string(gone->size() + next) + " layers");
  }
};
} // namespace
} // namespace xfmr
