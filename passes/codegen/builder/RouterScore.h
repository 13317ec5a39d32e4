// What routers compute of a logit, the same for every target. exp and sigmoid are the target's own.
#pragma once
#include "passes/codegen/MoeRouter.h"
#include "passes/codegen/builder/OrderedKey.h"

namespace xfmr::codegen {

// Infinite logits become +-3e38, NaN -3e38: on the bits.
template <class V> V finiteLogit(V x) {
  const uint32_t largest = floatBits(3e38f);
  V bits = asInt(x), magnitude = bits & 0x7fffffffu, sign = bits & 0x80000000u;
  V bounded = sign | min(magnitude, constantLike(bits, largest));
  return asFloat(select(magnitude > kInfinityBits, constantLike(bits, largest | 0x80000000u), bounded));
}

// ln(1 + e^z) by 2 artanh(t / (2 + t)), t = e^-|z| <= 1: no cancellation for small t.
template <class V> V softplus(V z) {
  V t = exp(-abs(z)), y = t / (t + 2.0), q = y * y;
  V series = constantLike(z, 1.0 / 15);
  for (int power = 13; power >= 1; power -= 2)
    series = fma(series, q, constantLike(z, 1.0 / power));
  return max(z, constantLike(z, 0)) + y * series * 2.0;
}

// Scores that depend on one logit alone; the others leave it as it is.
template <class V> V elementwiseScore(MoeScore score, V z) {
  switch (score) {
  case MoeScore::Sigmoid:
    return select(z < -87.0, constantLike(z, 0), sigmoid(z)); // exp saturates
  case MoeScore::SqrtSoftplus:
    return sqrt(softplus(z));
  case MoeScore::Softmax:
  case MoeScore::None:
  case MoeScore::Sparsemixer:
    return z;
  }
  return z;
}

} // namespace xfmr::codegen
