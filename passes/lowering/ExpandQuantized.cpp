// xfmr-expand-quantized: what no kernel reads as codes becomes numbers, at the product that uses it.
#include "passes/lowering/Passes.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMREXPANDQUANTIZED
#include "passes/lowering/Passes.h.inc"

namespace {

bool isQuantised(Value value) {
  return quantSchemeOf(value.getType()).has_value();
}

Value expanded(OpBuilder &builder, Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  return WeightCastOp::create(builder, weight.getLoc(), withFloats(type), weight);
}

// Expressions over an argument that became numbers move numbers too.
void retype(Value value) {
  for (Operation *user : value.getUsers()) {
    auto expression = dyn_cast<WeightExpressionOpInterface>(user);
    if (!expression || isa<WeightCastOp>(user) || !isQuantised(user->getResult(0)))
      continue;
    user->getResult(0).setType(withFloats(cast<RankedTensorType>(user->getResult(0).getType())));
    retype(user->getResult(0));
  }
}

struct ExpandQuantized : impl::XfmrExpandQuantizedBase<ExpandQuantized> {
  using XfmrExpandQuantizedBase::XfmrExpandQuantizedBase;

  void runOnOperation() override {
    int64_t uses = 0; // statistics count nothing in builds without them
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<WeightExpressionOpInterface>(op))
        return;
      OpBuilder builder(op);
      DenseMap<Value, Value> numbers;
      for (OpOperand &operand : op->getOpOperands()) {
        if (!isQuantised(operand.get()))
          continue;
        Value &to = numbers[operand.get()];
        if (!to)
          to = expanded(builder, operand.get());
        operand.set(to);
        ++uses;
      }
      auto moe = dyn_cast<MoeOp>(op);
      for (unsigned i = 0; moe && i < moe.getExperts().size(); ++i)
        if (Value slice = moe.getSlice(i); isQuantised(slice)) {
          slice.setType(withFloats(cast<RankedTensorType>(slice.getType())));
          retype(slice);
        }
    });
    count += uses;
    if (uses > 0)
      getOperation().emitRemark()
          << uses << " quantised weights are stored as f32: no kernel of this compiler reads their codes yet";
  }
};

} // namespace
} // namespace xfmr
