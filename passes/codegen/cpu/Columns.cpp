// Loops along rows.
#include "passes/codegen/cpu/Columns.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

void overColumns(KernelBuilder &k, uint64_t width,
                 llvm::function_ref<void(Value, unsigned)> body, unsigned lanes) {
  const uint64_t whole = width / lanes * lanes;
  if (whole)
    k.loop(0, whole, lanes, [&](Value column) { body(column, lanes); });
  if (whole < width)
    body(k.index(whole), static_cast<unsigned>(width - whole));
}

Value alongColumns(KernelBuilder &k, uint64_t width, Value start,
                   llvm::function_ref<Value(Value, Value, unsigned)> combine) {
  const uint64_t whole = width / kLanes * kLanes;
  Value soFar = splat(start, kLanes);
  if (whole)
    soFar = k.loop(k.index(0), k.index(whole), kLanes, {soFar},
                   [&](Value column, llvm::ArrayRef<Value> in) {
                     return Values{combine(in[0], column, kLanes)};
                   })[0];
  if (whole < width)
    soFar = combine(soFar, k.index(whole), static_cast<unsigned>(width - whole));
  return soFar;
}

Value keepFirst(KernelBuilder &k, Value vector, unsigned valid) {
  if (valid >= vector.lanes())
    return vector;
  return select(k.lane(vector.lanes()) < valid, vector, constantLike(vector, 0.0));
}

Value rmsFactor(KernelBuilder &k, Buffer x, Value at, uint64_t width, float eps) {
  Value squares = alongColumns(k, width, k.f32(0), [&](Value soFar, Value column, unsigned valid) {
    Value v = x.loadFirst(at + column, kLanes, valid);
    return fma(v, v, soFar);
  });
  return rsqrt(sum(squares) * (1.0f / static_cast<float>(width)) + eps);
}

Value rmsScaled(Value x, Value factor, Value g, bool unitOffset) {
  return x * factor * (unitOffset ? g + 1.0 : g);
}

void overRows(KernelBuilder &k, Value tile, uint64_t rowsEach,
              llvm::function_ref<void(Value)> body) {
  Value first = tile * rowsEach;
  k.loop(first, min(first + rowsEach, k.state(state::kCount)), 1, body);
}

} // namespace xfmr::codegen::cpu
