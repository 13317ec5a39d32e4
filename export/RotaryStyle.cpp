// Which entries of a head rotate together is a convention of the file; the dot product of query and key does
// not depend on the order of a head's entries, so rows can be exchanged. See Export.h.
#include "export/Export.h"

namespace xfmr::exports {

std::vector<int64_t> rotaryRows(int64_t heads, int64_t headDim, int64_t rotaryDim, RopeStyle from, RopeStyle to) {
  std::vector<int64_t> rows = indices(0, heads * headDim);
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

Status setRotaryStyle(Decoder &decoder, RopeStyle style) {
  for (Layer &layer : decoder.layers) {
    Attention &a = layer.attention;
    const RopeStyle from = a.rope.getStyle();
    if (from == style)
      continue;
    if (a.queryNorm)
      return Status::error("norms of queries and keys with another order of rotary entries cannot be exported");
    for (auto [linear, heads] : {std::pair(&a.query, a.numHeads), std::pair(&a.key, a.numKvHeads)}) {
      const auto rows = rotaryRows(heads, a.headDim, a.rope.getRotatedDim(), from, style);
      linear->weight = linear->weight.pickRows(rows);
      if (linear->bias)
        linear->bias = linear->bias.pickRows(rows);
    }
  }
  return Status::success();
}

} // namespace xfmr::exports
