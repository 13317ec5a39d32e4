// A part of the expression's elements is followed to the operands that it comes from.
#include "weights/DistinctElements.h"

using namespace mlir;

namespace xfmr {

static int64_t countPart(Value weight, ArrayRef<AxisRange> part) {
  int64_t sum = 0;
  auto expression = weight.getDefiningOp<WeightExpressionOpInterface>();
  const bool followed = expression && expression.visitSources(part, [&](Value operand, ArrayRef<AxisRange> from) {
    sum += countPart(operand, from);
  });
  return followed ? sum : elementsOf(part);
}

int64_t distinctElements(Value weight) { return countPart(weight, wholeOf(weight.getType())); }

int64_t distinctRows(Value weight) {
  TensorPart whole = wholeOf(weight.getType());
  const int64_t elements = countPart(weight, whole);
  whole.front().size = 1;
  return elements / std::max<int64_t>(1, elementsOf(whole));
}

} // namespace xfmr
