// See Distinct.h. A box of the expression's elements is followed to the operands that it comes from.
#include "tools/xfmr-inspect/Distinct.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace xfmr::inspect {

namespace {

struct Range {
  int64_t begin = 0, size = 0;
};
using Box = SmallVector<Range, 3>; // one range an axis

Box wholeBox(Value weight) {
  Box box;
  for (int64_t extent : cast<RankedTensorType>(weight.getType()).getShape())
    box.push_back({0, extent});
  return box;
}

int64_t volume(const Box &box) {
  int64_t product = 1;
  for (const Range &range : box)
    product *= range.size;
  return product;
}

Box with(Box box, int64_t axis, Range range) {
  box[axis] = range;
  return box;
}

int64_t countBox(Value weight, const Box &box);

/// The indices of the box, each once, as runs of neighbours.
int64_t countGather(WeightGatherOp gather, const Box &box) {
  const int64_t axis = gather.getAxis();
  SmallVector<int64_t> indices(gather.getIndices().slice(box[axis].begin, box[axis].size));
  llvm::sort(indices);
  indices.erase(llvm::unique(indices), indices.end());
  int64_t sum = 0;
  for (size_t first = 0, next; first < indices.size(); first = next) {
    next = first + 1;
    while (next < indices.size() && indices[next] == indices[next - 1] + 1)
      ++next;
    sum += countBox(gather.getInput(), with(box, axis, {indices[first], static_cast<int64_t>(next - first)}));
  }
  return sum;
}

int64_t countConcat(WeightConcatOp concat, const Box &box) {
  const int64_t axis = concat.getAxis();
  const int64_t begin = box[axis].begin, end = begin + box[axis].size;
  int64_t sum = 0, offset = 0;
  for (Value piece : concat.getInputs()) {
    const int64_t extent = cast<RankedTensorType>(piece.getType()).getDimSize(axis);
    const int64_t first = std::max(begin, offset), last = std::min(end, offset + extent);
    if (first < last)
      sum += countBox(piece, with(box, axis, {first - offset, last - first}));
    offset += extent;
  }
  return sum;
}

int64_t countStack(WeightStackOp stack, const Box &box) {
  int64_t sum = 0;
  for (Value piece : stack.getInputs().slice(box[0].begin, box[0].size))
    sum += countBox(piece, Box(llvm::drop_begin(box)));
  return sum;
}

int64_t countBox(Value weight, const Box &box) {
  Operation *op = weight.getDefiningOp();
  if (!op)
    return volume(box);
  return llvm::TypeSwitch<Operation *, int64_t>(op)
      .Case([&](WeightGatherOp gather) { return countGather(gather, box); })
      .Case([&](WeightConcatOp concat) { return countConcat(concat, box); })
      .Case([&](WeightStackOp stack) { return countStack(stack, box); })
      .Case([&](WeightSliceOp slice) {
        const int64_t axis = slice.getAxis();
        return countBox(slice.getInput(),
                     with(box, axis, {static_cast<int64_t>(slice.getOffset()) + box[axis].begin, box[axis].size}));
      })
      .Case([&](WeightScaleOp scale) {
        return scale.getFactor().isZero() ? 0 : countBox(scale.getInput(), box);
      })
      .Case([&](WeightTransposeOp transpose) {
        Box swapped = box;
        std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
        return countBox(transpose.getInput(), swapped);
      })
      .Case([&](WeightInterleaveOp halves) {
        const bool whole = volume(box) == volume(wholeBox(weight));
        return whole ? countBox(halves.getInput(), box) : volume(box);
      })
      .Case<WeightCastOp, WeightMaskOp>([&](auto same) { return countBox(same.getInput(), box); })
      .Default([&](Operation *) { return volume(box); });
}

} // namespace

int64_t distinctElements(Value weight) { return countBox(weight, wholeBox(weight)); }

int64_t distinctRows(Value weight) {
  Box box = wholeBox(weight);
  return countBox(weight, box) / std::max<int64_t>(1, volume(with(box, 0, {0, 1})));
}

} // namespace xfmr::inspect
