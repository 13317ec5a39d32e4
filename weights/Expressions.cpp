// See Expressions.h.
#include "weights/Expressions.h"

using namespace mlir;

namespace xfmr {

static RankedTensorType typeOf(Value weight) { return cast<RankedTensorType>(weight.getType()); }

bool isWeight(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getRank() > 0 && isa<FloatType, QuantType>(type.getElementType());
}

Value stackedWeight(Value slice) {
  auto argument = dyn_cast<BlockArgument>(slice);
  auto moe = argument ? dyn_cast<MoeOp>(argument.getOwner()->getParentOp()) : MoeOp();
  return moe ? moe.getStacked(slice) : Value();
}

Value gatherWeight(OpBuilder &builder, Location loc, Value weight, int64_t axis, ArrayRef<int64_t> indices) {
  return WeightGatherOp::create(builder, loc, withExtent(typeOf(weight), axis, indices.size()), weight, axis, indices);
}

Value numbersOf(OpBuilder &builder, Location loc, Value weight) {
  if (!quantSchemeOf(weight.getType()))
    return weight;
  return WeightCastOp::create(builder, loc, withFloats(typeOf(weight)), weight);
}

Value zerosLike(OpBuilder &builder, Location loc, Value weight) {
  if (quantSchemeOf(weight.getType())) // rows of nothing but codes, or scales, of zero
    return WeightMaskOp::create(builder, loc, weight, builder.getI64IntegerAttr(0), builder.getDenseI64ArrayAttr({}));
  return WeightScaleOp::create(builder, loc, weight.getType(), weight, builder.getF64FloatAttr(0.0));
}

Value padWeight(OpBuilder &builder, Location loc, Value weight, int64_t axis, int64_t count) {
  RankedTensorType type = typeOf(weight);
  Value some; // of the right shape: any entries serve
  if (count == 1)
    some = WeightSliceOp::create(builder, loc, withExtent(type, axis, 1), weight, axis, 0, 1);
  else
    some = gatherWeight(builder, loc, weight, axis, SmallVector<int64_t>(count, 0));
  return WeightConcatOp::create(builder, loc, withExtent(type, axis, type.getDimSize(axis) + count),
                                ValueRange{weight, zerosLike(builder, loc, some)}, axis);
}

bool sameExpression(Value a, Value b) {
  if (a == b)
    return true;
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (!x || !y || x->getName() != y->getName() || a.getType() != b.getType() ||
      x->getAttrDictionary() != y->getAttrDictionary() || x->getNumOperands() != y->getNumOperands())
    return false;
  return llvm::all_of(llvm::zip(x->getOperands(), y->getOperands()),
                      [](auto pair) { return sameExpression(std::get<0>(pair), std::get<1>(pair)); });
}

} // namespace xfmr
