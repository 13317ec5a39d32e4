// Reads blocks backwards, from values to what made them.
#include "dialect/Structure.h"

using namespace mlir;

namespace xfmr {

bool isEncoder(ModelOp model) {
  if (model.getSource())
    return false;
  bool sees = false;
  model.getBody().walk([&](AttentionOp op) { sees |= !op.getCausal(); });
  return sees || cast<RankedTensorType>(model.getOutputType()).getDimSize(1) != model.getConfig().getVocabSize();
}

static int64_t widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

ProjectedRows projectedRowsOf(Value value) {
  if (auto linear = value.getDefiningOp<LinearOp>())
    return {linear, 0, widthOf(value), false};
  auto split = value.getDefiningOp<SplitOp>();
  auto linear = split ? split.getInput().getDefiningOp<LinearOp>() : LinearOp();
  if (!linear)
    return {};
  int64_t first = 0;
  for (Value part : split.getResults().take_front(cast<OpResult>(value).getResultNumber()))
    first += widthOf(part);
  return {linear, first, widthOf(value), true};
}

std::optional<HiddenLayer> hiddenLayerOf(Value hidden) {
  if (auto glu = hidden.getDefiningOp<GluOp>())
    return HiddenLayer{glu.getKind(), {}, {}, {}, glu};
  if (auto activation = hidden.getDefiningOp<ActivationOp>())
    return HiddenLayer{activation.getKind(), activation, activation.getInput(), {}, {}};
  auto product = hidden.getDefiningOp<MulOp>();
  if (!product)
    return std::nullopt;
  auto left = product.getLhs().getDefiningOp<ActivationOp>(), right = product.getRhs().getDefiningOp<ActivationOp>();
  if (!left == !right)
    return std::nullopt;
  ActivationOp activation = left ? left : right;
  Value up = left ? product.getRhs() : product.getLhs();
  return HiddenLayer{activation.getKind(), activation, activation.getInput(), up, {}};
}

HeadPath headPathOf(Value operand) {
  HeadPath path{operand, {}};
  while (Operation *op = path.projected.getDefiningOp()) {
    auto columnwise = dyn_cast<ColumnwiseOpInterface>(op);
    const bool single = columnwise && columnwise.getNumColumnOperands() == 1;
    if (!single && !isa<LayerNormOp>(op))
      break;
    path.through.push_back(op);
    path.projected = op->getOperand(0);
  }
  return path;
}

Value addedTo(Value stream, Value sum) {
  auto add = sum.getDefiningOp<AddOp>();
  if (!add)
    return {};
  return add.getLhs() == stream ? add.getRhs() : add.getRhs() == stream ? add.getLhs() : Value();
}

} // namespace xfmr
