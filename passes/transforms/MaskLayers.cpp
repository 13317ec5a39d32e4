// xfmr-mask-layers: lets the blocks that xfmr-prune-layers removes hand their input on.
#include "passes/Passes.h"
#include "passes/transforms/PruneDepth.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRMASKLAYERS
#include "passes/Passes.h.inc"

namespace {
struct MaskLayers : impl::XfmrMaskLayersBase<MaskLayers> {
  using Base::Base;
  void runOnOperation() override {
    FailureOr<SmallVector<BlockOp>> gone = blocksToRemove(
        getOperation(), {layers, keep, method, std::vector<std::string>(texts.begin(), texts.end()), window});
    if (failed(gone))
      return signalPassFailure();
    for (BlockOp block : *gone) {
      block.emitRemark("skipped layer ") << block.getLayer();
      block.getBody().front().getTerminator()->setOperands(block.getBody().getArguments());
      SmallVector<Operation *> dead;
      for (Operation &op : block.getBody().front().without_terminator())
        dead.push_back(&op);
      for (Operation *op : llvm::reverse(dead))
        op->erase();
    }
    removed += gone->size();
    kept += llvm::range_size(getOperation().getBody().getOps<BlockOp>()) - gone->size();
  }
};
} // namespace
} // namespace xfmr
