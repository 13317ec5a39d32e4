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

// Whether the kernels of an op read this operand's codes: products and tables, not routers.
bool mayReadCodes(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (auto moe = dyn_cast<MoeOp>(op))
    return operand.get() != moe.getRouter();
  if (auto embedding = dyn_cast<EmbeddingOp>(op)) { // whose kernel takes both tables in one type
    Value positions = embedding.getPositions();
    return !positions || getElementTypeOrSelf(positions) == getElementTypeOrSelf(embedding.getTable());
  }
  return isa<LinearOp, GluOp>(op);
}

RankedTensorType withElement(Value value, Type element) {
  return cast<RankedTensorType>(value.getType()).clone(element);
}

// Expressions over an argument whose elements are others now move those.
void retype(Value value, Type element) {
  value.setType(withElement(value, element));
  for (Operation *user : value.getUsers())
    if (isa<WeightExpressionOpInterface>(user) && !isa<WeightCastOp>(user) && isQuantised(user->getResult(0)))
      retype(user->getResult(0), element);
}

struct ExpandQuantized : impl::XfmrExpandQuantizedBase<ExpandQuantized> {
  using XfmrExpandQuantizedBase::XfmrExpandQuantizedBase;

  void runOnOperation() override {
    int64_t asFloats = 0, asBytes = 0; // statistics count nothing in builds without them
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<WeightExpressionOpInterface>(op))
        return;
      OpBuilder builder(op);
      DenseMap<Value, Value> others;
      for (OpOperand &operand : op->getOpOperands()) {
        if (!isQuantised(operand.get()) || isRead(operand))
          continue;
        Value &to = others[operand.get()];
        if (!to)
          to = mayReadCodes(operand) ? rounded(builder, operand.get()) : expanded(builder, operand.get());
        ++(mayReadCodes(operand) ? asBytes : asFloats);
        operand.set(to);
      }
      auto moe = dyn_cast<MoeOp>(op);
      for (unsigned i = 0; moe && i < moe.getExperts().size(); ++i)
        if (Type element = cast<RankedTensorType>(moe.getExperts()[i].getType()).getElementType();
            cast<RankedTensorType>(moe.getSlice(i).getType()).getElementType() != element)
          retype(moe.getSlice(i), element);
    });
    count += asFloats;
    again += asBytes;
    if (asFloats > 0)
      getOperation().emitRemark() << asFloats << " quantised weights are stored as f32: no kernel reads their codes";
    if (asBytes > 0)
      getOperation().emitRemark()
          << asBytes
          << " quantised weights are rounded again, to int8 in groups of 32: no kernel reads groups "
             "that are no multiple of 16, nor nf4";
  }

private:
  static bool isRead(OpOperand &operand) {
    return mayReadCodes(operand) && codegen::weightTypeOf(*quantSchemeOf(operand.get().getType())).has_value();
  }

  static Value expanded(OpBuilder &builder, Value weight) {
    return WeightCastOp::create(builder, weight.getLoc(), withElement(weight, builder.getF32Type()), weight);
  }
  static Value rounded(OpBuilder &builder, Value weight) {
    auto element = QuantType::get(builder.getContext(), *codegen::schemeOf(codegen::WeightType::Q8));
    return WeightQuantizeOp::create(builder, weight.getLoc(), withElement(weight, element), expanded(builder, weight),
                                    QuantRule::absmax);
  }
};

} // namespace
} // namespace xfmr
