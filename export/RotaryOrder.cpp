// See RotaryOrder.h.
#include "export/RotaryOrder.h"

#include "dialect/Structure.h"
#include "weights/Expressions.h"
#include <numeric>

using namespace mlir;

namespace xfmr::exports {

/// Rows of a [heads * headDim, …] projection so that rotated pairs lie as `to` says.
static SmallVector<int64_t> rotaryRows(int64_t heads, int64_t headDim, int64_t rotaryDim, RopeStyle from,
                                       RopeStyle to) {
  SmallVector<int64_t> rows(heads * headDim);
  std::iota(rows.begin(), rows.end(), int64_t(0));
  if (from == to)
    return rows;
  const int64_t half = rotaryDim / 2;
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t pair = 0; pair < half; ++pair)
      for (int64_t side = 0; side < 2; ++side) {
        const int64_t apart = side * half + pair, together = 2 * pair + side;
        const int64_t row = to == RopeStyle::interleaved ? together : apart;
        rows[head * headDim + row] = head * headDim + (to == RopeStyle::interleaved ? apart : together);
      }
  return rows;
}

static Status normed() {
  return Status::error("norms of queries and keys with another order of rotary entries cannot be exported");
}

Status orderRotationsAs(ModelOp family, ModelOp model) {
  std::optional<RopeStyle> style;
  family.getBody().walk([&](RopeOp rope) { style = rope.getStyle(); });
  Status status = Status::success();
  model.getBody().walk([&](AttentionOp attention) {
    for (Value operand : {attention.getQuery(), attention.getKey()}) {
      const HeadPath path = headPathOf(operand);
      auto rope = path.find<RopeOp>();
      if (status.failed() || !style || !rope || rope.getStyle() == *style)
        continue;
      const ProjectedRows projected = projectedRowsOf(path.projected);
      if (path.find<RmsNormOp>() || path.find<LayerNormOp>() || !projected || projected.isPart) {
        status = normed();
        continue;
      }
      LinearOp linear = projected.linear;
      const int64_t heads = cast<RankedTensorType>(rope.getType()).getDimSize(1) / rope.getHeadDim();
      const auto rows = rotaryRows(heads, rope.getHeadDim(), rope.getRotatedDim(), rope.getStyle(), *style);
      OpBuilder builder(linear);
      linear.getWeightMutable().assign(gatherWeight(builder, linear.getLoc(), linear.getWeight(), 0, rows));
      if (Value bias = linear.getBias())
        linear.getBiasMutable().assign(gatherWeight(builder, linear.getLoc(), bias, 0, rows));
      rope.setStyle(*style);
    }
  });
  return status;
}

} // namespace xfmr::exports
