// See SourceSide.h.
#include "passes/lowering/SourceSide.h"

using namespace mlir;
using namespace xfmr;

static bool isWeight(Value value) {
  return value.getDefiningOp() && isa<WeightExpressionOpInterface>(value.getDefiningOp());
}

LogicalResult SourceSide::find(ModelOp model) {
  if (!model.getSource())
    return success();
  values.insert(model.getSource());
  Operation *begin = model.getDecoderBegin();
  if (!begin)
    return model.emitError("nothing reads the tokens of the decoder");
  bool decodes = false;
  for (Operation &op : model.getBody().front()) {
    decodes |= &op == begin;
    if (isa<WeightExpressionOpInterface>(op) || isa<YieldOp>(op))
      continue;
    WalkResult probed = op.walk([&](ProbeOp probe) {
      if (decodes)
        return WalkResult::advance();
      probe.emitOpError(
          "looks at the encoder of an encoder with a decoder, which is not supported: look at the decoder's blocks");
      return WalkResult::interrupt();
    });
    if (probed.wasInterrupted())
      return failure();
    if (!decodes)
      values.insert_range(op.getResults());
    else if (auto block = dyn_cast<BlockOp>(op); block ? failed(findInBlock(block)) : failed(refuseOther(&op)))
      return failure();
  }
  return success();
}

LogicalResult SourceSide::findInBlock(BlockOp block) {
  for (auto [argument, input] : llvm::zip(block.getBody().getArguments(), block.getInputs()))
    if (values.contains(input))
      values.insert(argument);
  for (Operation &op : block.getBody().front()) {
    if (isa<WeightExpressionOpInterface>(op))
      continue;
    if (auto attention = dyn_cast<AttentionOp>(op); attention && attention.getCross()) {
      if (!values.contains(attention.getKey()) || !values.contains(attention.getValue()) ||
          values.contains(attention.getQuery()))
        return op.emitOpError("in layer ")
               << block.getLayer()
               << ": keys and values of a cross-attention must come from the source alone, the query from the decoder";
      continue;
    }
    const auto activations = llvm::make_filter_range(op.getOperands(), [](Value v) { return !isWeight(v); });
    if (!activations.empty() && !isa<YieldOp>(op) &&
        llvm::all_of(activations, [&](Value v) { return values.contains(v); }))
      values.insert_range(op.getResults());
    else if (failed(refuseOther(&op)))
      return failure();
  }
  return success();
}

LogicalResult SourceSide::refuseOther(Operation *op) {
  for (Value operand : op->getOperands())
    if (values.contains(operand))
      return op->emitOpError("reads the source in the decoder: only a cross-attention may");
  return success();
}
