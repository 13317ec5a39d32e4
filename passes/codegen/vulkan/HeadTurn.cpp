// See HeadTurn.h.
#include "passes/codegen/vulkan/HeadTurn.h"

namespace xfmr::codegen {

Value HeadTurn::normed(Value e, llvm::StringRef norm, Value factor) const {
  Value x = head[base + e];
  if (norm.empty())
    return x;
  Value g = k.buffer(norm)[e];
  return x * factor * (unitOffset ? g + 1 : g);
}

Value HeadTurn::rotated(Value e, llvm::StringRef norm, Value factor, Value position, Value rotaryDim) const {
  Values result = k.choose(
      e < rotaryDim,
      [&] {
        Value half = rotaryDim >> 1, first, frequency, partner;
        if (style == RopeStyle::Half) {
          first = e < half;
          frequency = select(first, e, e - half);
          partner = select(first, e + half, e - half);
        } else {
          first = (e & 1) == 0;
          frequency = e >> 1;
          partner = e ^ 1;
        }
        Buffer table = k.buffer("rope");
        Value at = position * (((rotaryDim + 7) >> 3) << 3) + frequency;
        Value c = table[at], s = table[at + half];
        Value turned = normed(partner, norm, factor) * select(first, -s, s);
        return Values{fma(normed(e, norm, factor), c, turned)};
      },
      [&] { return Values{normed(e, norm, factor)}; });
  return result[0];
}

} // namespace xfmr::codegen
