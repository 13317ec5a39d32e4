// The order of steps is that of Epilogue in Kernel.h; each is rounded by itself.
#include "passes/codegen/cpu/EpilogueBuilder.h"
#include "passes/codegen/cpu/Math.h"
#include "passes/codegen/cpu/Product.h"

namespace xfmr::codegen::cpu {

std::pair<Value, Value> gatesAndUps(Value v) {
  return {permute(v, v, {0, 2, 4, 6, 8, 10, 12, 14}), permute(v, v, {1, 3, 5, 7, 9, 11, 13, 15})};
}

void storeOutputs(KernelBuilder &k, const Epilogue &epilogue, const EpilogueParams &params, Rows out, Value row,
                  Value v, Value column, unsigned valid, uint32_t n) {
  if (epilogue.bias)
    v = v + k.buffer("bias").loadFirst(column + params.biasOffset, v.lanes(), valid);
  if (epilogue.glu) {
    auto [gate, up] = gatesAndUps(v);
    v = activation(epilogue.activation, gate) * up;
    column = column / 2, valid = 8;
  } else {
    v = activation(epilogue.activation, v);
    if (!keepsZero(epilogue.activation)) // the pad does
      v = select(column + k.lane(kPanel) < n, v, constantLike(v, 0.0));
  }
  if (epilogue.scale)
    v = v * params.scale;
  if (epilogue.softcap)
    v = softcap(v, params.softcap);
  auto place = [&](Rows rows) { return row * uint64_t(rows.stride) + column + rows.offset; };
  if (epilogue.residual)
    v = v + k.buffer("residual").loadFirst(place(params.residual), v.lanes(), valid);
  k.buffer("out").storeFirst(place(out), v, valid);
}

} // namespace xfmr::codegen::cpu
