// What weight expressions tell of themselves (WeightExpressionOpInterface) besides their numbers: axes, their form over
// stacked operands, the elements they are made of.
#include "dialect/Xfmr.h"

using namespace mlir;
using namespace xfmr;

namespace xfmr {

TensorPart wholeOf(Type type) {
  TensorPart part;
  for (int64_t extent : cast<ShapedType>(type).getShape())
    part.push_back({0, extent});
  return part;
}

int64_t elementsOf(ArrayRef<AxisRange> part) {
  int64_t product = 1;
  for (const AxisRange &range : part)
    product *= range.size;
  return product;
}

} // namespace xfmr

namespace {

constexpr int64_t kWhole = WeightExpressionOpInterface::kWhole;

using Visit = function_ref<void(Value, ArrayRef<AxisRange>)>;

int64_t rankOf(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }
int64_t extentOf(Value value, int64_t axis) { return cast<RankedTensorType>(value.getType()).getDimSize(axis); }

// Where the last two axes are exchanged.
int64_t transposedAxis(int64_t axis, int64_t rank) { return axis < rank - 2 ? axis : 2 * rank - 3 - axis; }

TensorPart with(ArrayRef<AxisRange> part, int64_t axis, AxisRange range) {
  TensorPart changed(part);
  changed[axis] = range;
  return changed;
}

// The same op over stacked operands: offsets, indices and factors stay.
Operation *cloneOver(OpBuilder &builder, Operation *op, ValueRange stacked) {
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(result.getShape());
  shape.insert(shape.begin(), extentOf(stacked.front(), 0));
  OperationState state(op->getLoc(), op->getName(), stacked, result.clone(shape));
  state.propertiesAttr = op->getPropertiesAsAttribute();
  return builder.create(state);
}

// The same, along the axis behind.
template <typename OpT> Operation *cloneOneAxisOn(OpBuilder &builder, OpT op, ValueRange stacked) {
  auto clone = cast<OpT>(cloneOver(builder, op, stacked));
  clone.setAxis(op.getAxis() + 1);
  return clone;
}

} // namespace

// concat: another axis selects from every input
std::optional<int64_t> WeightConcatOp::getOperandAxis(unsigned, int64_t axis) {
  return axis == static_cast<int64_t>(getAxis()) ? std::nullopt : std::optional(axis);
}
Operation *WeightConcatOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOneAxisOn(builder, *this, stacked);
}
bool WeightConcatOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  const int64_t axis = getAxis(), begin = part[axis].begin, end = begin + part[axis].size;
  int64_t offset = 0;
  for (Value input : getInputs()) {
    const int64_t extent = extentOf(input, axis);
    const int64_t first = std::max(begin, offset), last = std::min(end, offset + extent);
    if (first < last)
      visit(input, with(part, axis, {first - offset, last - first}));
    offset += extent;
  }
  return true;
}

Operation *WeightSliceOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOneAxisOn(builder, *this, stacked);
}
bool WeightSliceOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  const AxisRange range = part[getAxis()];
  visit(getInput(), with(part, getAxis(), {range.begin + static_cast<int64_t>(getOffset()), range.size}));
  return true;
}
std::string WeightSliceOp::getNameSuffix() { return "_part"; }

Operation *WeightGatherOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOneAxisOn(builder, *this, stacked);
}
// Each index once, as runs of neighbours.
bool WeightGatherOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  const AxisRange range = part[getAxis()];
  SmallVector<int64_t> indices(getIndices().slice(range.begin, range.size));
  llvm::sort(indices);
  indices.erase(llvm::unique(indices), indices.end());
  for (size_t first = 0, next; first < indices.size(); first = next) {
    next = first + 1;
    while (next < indices.size() && indices[next] == indices[next - 1] + 1)
      ++next;
    visit(getInput(), with(part, getAxis(), {indices[first], static_cast<int64_t>(next - first)}));
  }
  return true;
}
std::string WeightGatherOp::getNameSuffix() { return "_kept"; }

Operation *WeightMaskOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOneAxisOn(builder, *this, stacked);
}
bool WeightMaskOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  visit(getInput(), part);
  return true;
}
std::string WeightMaskOp::getNameSuffix() { return "_masked"; }

std::optional<int64_t> WeightTransposeOp::getOperandAxis(unsigned, int64_t axis) {
  return transposedAxis(axis, rankOf(getResult()));
}
Operation *WeightTransposeOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return rankOf(getResult()) == 2 ? cloneOver(builder, *this, stacked) : nullptr; // it has no rank 4
}
bool WeightTransposeOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  TensorPart swapped(part);
  std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
  visit(getInput(), swapped);
  return true;
}
std::string WeightTransposeOp::getNameSuffix() { return "_t"; }

bool WeightStackOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  for (Value input : getInputs().slice(part.front().begin, part.front().size))
    visit(input, part.drop_front());
  return true;
}
std::string WeightStackOp::getNameSuffix() { return "_stack"; }

bool WeightSelectOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  TensorPart entry(part);
  entry.insert(entry.begin(), {static_cast<int64_t>(getIndex()), 1});
  visit(getInput(), entry);
  return true;
}
std::string WeightSelectOp::getNameSuffix() { return "_" + std::to_string(getIndex()); }

// base [O, I], b [O, r], a [r, I]
std::optional<int64_t> WeightAddLowrankOp::getOperandAxis(unsigned operand, int64_t axis) {
  return operand == 0 || operand == static_cast<unsigned>(axis) + 1 ? axis : kWhole;
}
std::string WeightAddLowrankOp::getNameSuffix() { return "_adapted"; }

// lhs [O, M], rhs [M, I]
std::optional<int64_t> WeightProductOp::getOperandAxis(unsigned operand, int64_t axis) {
  return operand == static_cast<unsigned>(axis) ? axis : kWhole;
}
std::string WeightProductOp::getNameSuffix() { return "_product"; }

std::optional<int64_t> WeightAddOp::getOperandAxis(unsigned, int64_t axis) { return axis; }
Operation *WeightAddOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOver(builder, *this, stacked);
}
std::string WeightAddOp::getNameSuffix() { return "_sum"; }

std::optional<int64_t> WeightScaleOp::getOperandAxis(unsigned, int64_t axis) { return axis; }
Operation *WeightScaleOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOver(builder, *this, stacked);
}
bool WeightScaleOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  if (!getFactor().isZero()) // times 0 it is made of nothing
    visit(getInput(), part);
  return true;
}
std::string WeightScaleOp::getNameSuffix() { return "_scaled"; }

// Any columns can be taken of numbers, of codes only whole runs.
std::optional<int64_t> WeightCastOp::getOperandAxis(unsigned, int64_t axis) {
  const bool runs = quantSchemeOf(getInput().getType()) && axis == rankOf(getInput()) - 1;
  return runs ? std::nullopt : std::optional(axis);
}
Operation *WeightCastOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOver(builder, *this, stacked);
}
bool WeightCastOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  visit(getInput(), part);
  return true;
}
std::string WeightCastOp::getNameSuffix() { return "_cast"; }

// A selection that fits the codes fits the numbers, but where columns taken away had their part in the scale.
std::optional<int64_t> WeightQuantizeOp::getOperandAxis(unsigned, int64_t axis) {
  const bool scales = quantSchemeOf(getType())->group == 0 && axis == rankOf(getInput()) - 1;
  return scales ? std::nullopt : std::optional(axis);
}
Operation *WeightQuantizeOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOver(builder, *this, stacked);
}
std::string WeightQuantizeOp::getNameSuffix() { return "_q"; }

Operation *WeightInterleaveOp::cloneStacked(OpBuilder &builder, ValueRange stacked) {
  return cloneOneAxisOn(builder, *this, stacked);
}
// Even entries are a run of the first half, odd ones of the second.
bool WeightInterleaveOp::visitSources(ArrayRef<AxisRange> part, Visit visit) {
  const int64_t axis = getAxis(), half = extentOf(getResult(), axis) / 2;
  const int64_t begin = part[axis].begin, end = begin + part[axis].size;
  const AxisRange even{(begin + 1) / 2, (end + 1) / 2 - (begin + 1) / 2}, odd{half + begin / 2, end / 2 - begin / 2};
  if (odd.size > 0 && even.begin + even.size == odd.begin) {
    visit(getInput(), with(part, axis, {even.begin, even.size + odd.size}));
    return true;
  }
  for (const AxisRange &range : {even, odd})
    if (range.size > 0)
      visit(getInput(), with(part, axis, range));
  return true;
}
std::string WeightInterleaveOp::getNameSuffix() { return "_interleaved"; }
