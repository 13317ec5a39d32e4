// The function between the matrices of an expert, in shader code.
#include "passes/codegen/vulkan/MoeExpertBuilder.h"
#include "passes/codegen/vulkan/Math.h"

namespace xfmr::codegen {

Value applyEpilogue(KernelBuilder &k, const MoeEpilogue &epilogue, Value v, Value expert, Value block,
                    Value biasQuads, Value alpha, Value limit) {
  if (epilogue.bias) // the pad of a half-full last block is zero, like the weight's
    v = k.choose(block < biasQuads, [&] { return Values{v + k.buffer("bias")[expert * biasQuads + block]}; },
                 [&] { return Values{v}; })[0];
  if (!epilogue.glu)
    return activation(epilogue.activation, v);
  Value gate = k.shuffle(v, v, {0, 2}), up = k.shuffle(v, v, {1, 3});
  if (!epilogue.clamped)
    return activation(epilogue.activation, gate) * up;
  Value high = k.vector2(limit, limit), slope = k.vector2(alpha, alpha);
  gate = min(gate, high);
  up = max(min(up, high), -high);
  return (up + 1.0) * gate * sigmoid(gate * slope);
}

} // namespace xfmr::codegen
