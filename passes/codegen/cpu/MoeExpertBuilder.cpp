// The function between the matrices of an expert, in lanes.
#include "passes/codegen/cpu/MoeExpertBuilder.h"
#include "passes/codegen/cpu/EpilogueBuilder.h"
#include "passes/codegen/cpu/Math.h"

namespace xfmr::codegen::cpu {

Value applyEpilogue(KernelBuilder &k, const MoeEpilogue &epilogue, Value v, Value expert, Value column, unsigned valid,
                    uint32_t n, float alpha, float limit) {
  if (epilogue.bias)
    v = v + k.buffer("bias").loadFirst(expert * uint64_t(paddedWidth(n)) + column, v.lanes(), valid);
  if (!epilogue.glu)
    return activation(epilogue.activation, v);
  auto [gate, up] = gatesAndUps(v);
  if (!epilogue.clamped)
    return activation(epilogue.activation, gate) * up;
  gate = min(gate, constantLike(gate, double(limit)));
  up = max(min(up, constantLike(up, double(limit))), constantLike(up, double(-limit)));
  return (up + 1.0) * gate * sigmoid(gate * alpha);
}

void storeExpertOutputs(KernelBuilder &k, const MoeEpilogue &epilogue, Value at, Value outputs, Value column,
                        unsigned valid) {
  if (epilogue.glu)
    return k.buffer("out").store(at + column / 2, outputs);
  k.buffer("out").storeFirst(at + column, outputs, valid);
}

} // namespace xfmr::codegen::cpu
