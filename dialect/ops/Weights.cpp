// Verifiers and folds of the weight expressions. Constraint numbers are those of Weights.td; the canonicalisations
// are in WeightPatterns.cpp.
#include "dialect/Xfmr.h"

using namespace mlir;
using namespace xfmr;

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

LogicalResult verifyAxis(Operation *op, int64_t axis, RankedTensorType type) {
  if (axis >= 0 && axis < type.getRank())
    return success();
  return op->emitOpError("axis ") << axis << " is outside the " << type.getRank() << " axes of " << type;
}

LogicalResult verifyResult(Operation *op, RankedTensorType input, ArrayRef<int64_t> shape) {
  auto expected = RankedTensorType::get(shape, input.getElementType());
  Type found = op->getResult(0).getType();
  if (found == expected)
    return success();
  return op->emitOpError("result must be ") << expected << ", got " << found;
}

// Columns are the last axis of a matrix.
bool isColumns(RankedTensorType type, int64_t axis) { return axis == type.getRank() - 1; }

// Columns of a quantised weight are taken with their scales (C4 of slice and gather).
LogicalResult verifyRuns(Operation *op, RankedTensorType input, int64_t axis, ArrayRef<int64_t> indices) {
  std::optional<QuantScheme> scheme = quantSchemeOf(input);
  if (!scheme || !isColumns(input, axis))
    return success();
  const int64_t columns = input.getDimSize(axis);
  if (takesWholeRuns(*scheme, columns, indices))
    return success();
  return op->emitOpError("takes parts of runs of ")
         << scheme->runColumns(columns) << " columns that share scales; cast to f32 first";
}

bool isIdentity(ArrayRef<int64_t> indices, int64_t extent) {
  if (static_cast<int64_t>(indices.size()) != extent)
    return false;
  for (auto [position, index] : llvm::enumerate(indices))
    if (index != static_cast<int64_t>(position))
      return false;
  return true;
}

} // namespace

LogicalResult WeightOp::verify() {
  if (getTensorName().empty()) // C1
    return emitOpError("needs the name of a tensor");
  return success();
}

LogicalResult WeightConcatOp::verify() {
  if (getInputs().empty()) // C1
    return emitOpError("needs at least one input");
  auto first = typeOf(getInputs().front());
  if (failed(verifyAxis(*this, getAxis(), first))) // C2
    return failure();
  int64_t sum = 0;
  for (Value input : getInputs()) {
    auto type = typeOf(input);
    if (type.getRank() != first.getRank() || type.getElementType() != first.getElementType()) // C1
      return emitOpError("inputs must have one rank and element type, got ") << first << " and " << type;
    if (withExtent(type, getAxis(), 0).getShape() != withExtent(first, getAxis(), 0).getShape()) // C3
      return emitOpError("inputs must agree outside axis ")
             << getAxis() << ", got " << first << " and " << type;
    sum += type.getDimSize(getAxis());
  }
  if (std::optional<QuantScheme> scheme = quantSchemeOf(first); scheme && isColumns(first, getAxis()))
    for (Value input : getInputs().drop_back()) { // C4
      const int64_t columns = typeOf(input).getDimSize(getAxis());
      if (scheme->runColumns(sum) == sum || columns % scheme->runColumns(columns) != 0)
        return emitOpError("an input of ") << columns << " columns ends within a run of columns that share scales";
    }
  return verifyResult(*this, first, withExtent(first, getAxis(), sum).getShape()); // C3
}

// concat of one input ==> the input
OpFoldResult WeightConcatOp::fold(FoldAdaptor) {
  return getInputs().size() == 1 ? OpFoldResult(getInputs().front()) : OpFoldResult();
}

LogicalResult WeightSliceOp::verify() {
  auto input = typeOf(getInput());
  if (failed(verifyAxis(*this, getAxis(), input))) // C1
    return failure();
  int64_t offset = getOffset(), size = getSize(), extent = input.getDimSize(getAxis());
  if (offset < 0 || size < 1 || offset > extent - size) // C2
    return emitOpError("range [") << offset << ", " << offset + size << ") is outside the extent "
                                  << extent << " of axis " << getAxis();
  if (failed(verifyRuns(*this, input, getAxis(), llvm::to_vector(llvm::seq(offset, offset + size))))) // C4
    return failure();
  return verifyResult(*this, input, withExtent(input, getAxis(), size).getShape()); // C3
}

// slice of everything ==> the input
OpFoldResult WeightSliceOp::fold(FoldAdaptor) {
  return getType() == getInput().getType() ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult WeightGatherOp::verify() {
  auto input = typeOf(getInput());
  if (failed(verifyAxis(*this, getAxis(), input))) // C1
    return failure();
  int64_t extent = input.getDimSize(getAxis());
  if (getIndices().empty()) // C2
    return emitOpError("needs at least one index");
  for (int64_t index : getIndices())
    if (index < 0 || index >= extent) // C2
      return emitOpError("index ") << index << " is outside the extent " << extent << " of axis "
                                   << getAxis();
  if (failed(verifyRuns(*this, input, getAxis(), getIndices()))) // C4
    return failure();
  return verifyResult(*this, input, // C3
                      withExtent(input, getAxis(), static_cast<int64_t>(getIndices().size())).getShape());
}

// gather of everything in order ==> the input
OpFoldResult WeightGatherOp::fold(FoldAdaptor) {
  return isIdentity(getIndices(), typeOf(getInput()).getDimSize(getAxis())) ? OpFoldResult(getInput())
                                                                            : OpFoldResult();
}

LogicalResult WeightMaskOp::verify() {
  auto input = typeOf(getInput());
  if (failed(verifyAxis(*this, getAxis(), input))) // C1
    return failure();
  int64_t previous = -1, extent = input.getDimSize(getAxis());
  for (int64_t index : getKeep()) {
    if (index <= previous || index >= extent) // C2
      return emitOpError("kept indices must ascend within the extent ")
             << extent << " of axis " << getAxis() << ", got " << index << " after " << previous;
    previous = index;
  }
  std::optional<QuantScheme> scheme = quantSchemeOf(input);
  if (!scheme || scheme->zeroCode() || !isColumns(input, getAxis()))
    return success();
  SmallVector<bool> kept(extent, false);
  for (int64_t index : getKeep())
    kept[index] = true;
  const int64_t group = scheme->groupColumns(extent);
  for (int64_t column = 0; column < extent; ++column)
    if (kept[column] != kept[column / group * group]) // C3
      return emitOpError("parts of a group of ") << group << " columns cannot become zero: no code of "
                                                 << input.getElementType() << " stands for it; cast to f32 first";
  return success();
}

// mask that keeps everything ==> the input; a kept set of the whole extent is the identity, as it ascends
OpFoldResult WeightMaskOp::fold(FoldAdaptor) {
  bool all = static_cast<int64_t>(getKeep().size()) == typeOf(getInput()).getDimSize(getAxis());
  return all ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult WeightTransposeOp::verify() {
  auto input = typeOf(getInput());
  if (input.getRank() != 2 && input.getRank() != 3) // C1
    return emitOpError("input must have rank 2 or 3, got ") << input;
  SmallVector<int64_t> shape(input.getShape());
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return verifyResult(*this, input, shape); // C2
}

// transpose(transpose(x)) ==> x
OpFoldResult WeightTransposeOp::fold(FoldAdaptor) {
  auto inner = getInput().getDefiningOp<WeightTransposeOp>();
  return inner ? OpFoldResult(inner.getInput()) : OpFoldResult();
}

LogicalResult WeightStackOp::verify() {
  if (getInputs().empty()) // C1
    return emitOpError("needs at least one input");
  auto first = typeOf(getInputs().front());
  for (Value input : getInputs())
    if (input.getType() != first) // C1
      return emitOpError("inputs must have one type, got ") << first << " and " << input.getType();
  SmallVector<int64_t> shape(first.getShape());
  shape.insert(shape.begin(), static_cast<int64_t>(getInputs().size()));
  return verifyResult(*this, first, shape); // C2
}

LogicalResult WeightSelectOp::verify() {
  auto input = typeOf(getInput());
  int64_t index = getIndex();
  if (input.getRank() < 2 || index < 0 || index >= input.getDimSize(0)) // C1
    return emitOpError("index ") << index << " does not select from the first axis of " << input;
  return verifyResult(*this, input, input.getShape().drop_front()); // C2
}

// select(stack(a, b), i) ==> the i-th input
OpFoldResult WeightSelectOp::fold(FoldAdaptor) {
  auto stack = getInput().getDefiningOp<WeightStackOp>();
  return stack ? OpFoldResult(stack.getInputs()[getIndex()]) : OpFoldResult();
}

LogicalResult WeightAddLowrankOp::verify() {
  auto w = typeOf(getBase()), b = typeOf(getB()), a = typeOf(getA());
  if (b.getDimSize(0) != w.getDimSize(0) || a.getDimSize(1) != w.getDimSize(1) ||
      b.getDimSize(1) != a.getDimSize(0)) // C1
    return emitOpError("expects W [O, I], B [O, r], A [r, I], got W ") << w << ", B " << b << ", A " << a;
  return success();
}

LogicalResult WeightProductOp::verify() {
  auto lhs = typeOf(getLhs()), rhs = typeOf(getRhs());
  if (lhs.getDimSize(1) != rhs.getDimSize(0)) // C1
    return emitOpError("cannot multiply ") << lhs << " by " << rhs;
  return verifyResult(*this, lhs, {lhs.getDimSize(0), rhs.getDimSize(1)}); // C1
}

// scale by 1 ==> the input
OpFoldResult WeightScaleOp::fold(FoldAdaptor) {
  return getFactor().convertToDouble() == 1.0 ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult WeightCastOp::verify() {
  if (typeOf(getInput()).getShape() != typeOf(getResult()).getShape()) // C1
    return emitOpError("must keep the shape, got ") << getInput().getType() << " to " << getType();
  if (quantSchemeOf(getType()) && getType() != getInput().getType()) // C2
    return emitOpError("does not round to ") << getType() << "; use xfmr.weight_quantize";
  return success();
}

// cast to the same type ==> the input; cast of a cast to f32, which is exact ==> cast of its input
OpFoldResult WeightCastOp::fold(FoldAdaptor) {
  if (getType() == getInput().getType())
    return getInput();
  auto inner = getInput().getDefiningOp<WeightCastOp>();
  if (!inner || !typeOf(inner.getResult()).getElementType().isF32())
    return {};
  if (inner.getInput().getType() == getType())
    return inner.getInput();
  getInputMutable().assign(inner.getInput());
  return getResult();
}

LogicalResult WeightQuantizeOp::verify() {
  if (typeOf(getInput()).getShape() != typeOf(getResult()).getShape()) // C1
    return emitOpError("must keep the shape, got ") << getInput().getType() << " to " << getType();
  if (!quantSchemeOf(getType())) // C2
    return emitOpError("result must be quantised, got ") << getType();
  return success();
}

// quantize(cast(q) to f32) to the type of q ==> q: nothing is rounded twice
OpFoldResult WeightQuantizeOp::fold(FoldAdaptor) {
  auto cast = getInput().getDefiningOp<WeightCastOp>();
  const bool again = cast && cast.getInput().getType() == getType() && typeOf(cast.getResult()).getElementType().isF32();
  return again ? OpFoldResult(cast.getInput()) : OpFoldResult();
}

LogicalResult WeightInterleaveOp::verify() {
  auto input = typeOf(getInput());
  if (failed(verifyAxis(*this, getAxis(), input))) // C1
    return failure();
  if (input.getDimSize(getAxis()) % 2) // C2
    return emitOpError("extent ") << input.getDimSize(getAxis()) << " of axis " << getAxis()
                                  << " must be even";
  if (quantSchemeOf(input) && isColumns(input, getAxis())) // C3
    return emitOpError("moves single columns of runs that share scales; cast to f32 first");
  return success();
}
