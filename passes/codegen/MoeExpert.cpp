#include "passes/codegen/MoeExpert.h"
#include "passes/codegen/Math.h"

namespace xfmr::codegen {

std::string MoeEpilogue::suffix() const {
  std::string result = bias ? "_bias" : "";
  if (glu)
    result += clamped ? "_glu_clamped" : "_glu";
  if (activation != Activation::None && !clamped)
    result += std::string("_") + toString(activation);
  return result;
}

Value MoeEpilogue::apply(KernelBuilder &k, Value v, Value expert, Value block, Value biasQuads, Value alpha,
                         Value limit) const {
  if (bias) // the pad of a half-full last block is zero, like the weight's
    v = k.choose(block < biasQuads, [&] { return Values{v + k.buffer("bias")[expert * biasQuads + block]}; },
                 [&] { return Values{v}; })[0];
  if (!glu)
    return codegen::activation(activation, v);
  Value gate = k.shuffle(v, v, {0, 2}), up = k.shuffle(v, v, {1, 3});
  if (!clamped)
    return codegen::activation(activation, gate) * up;
  Value high = k.vector2(limit, limit), slope = k.vector2(alpha, alpha);
  gate = min(gate, high);
  up = max(min(up, high), -high);
  return (up + 1.0) * gate * sigmoid(gate * slope);
}

} // namespace xfmr::codegen
