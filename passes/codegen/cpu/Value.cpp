// What values of CPU kernels have beyond the arithmetic of all targets.
#include "passes/codegen/cpu/Value.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {
namespace {

namespace arith = mlir::arith;
namespace math = mlir::math;
using detail::ops, detail::unary, detail::withElement, detail::wrap;

template <typename Combine> Value fold(Value vector, Combine combine) {
  for (int64_t half = vector.lanes() / 2; half >= 1; half /= 2) {
    llvm::SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < half; ++i)
      low.push_back(i), high.push_back(half + i);
    vector = combine(permute(vector, vector, low), permute(vector, vector, high));
  }
  return vector[0u];
}

} // namespace

Value sum(Value vector) {
  return fold(vector, [](Value a, Value b) { return a + b; });
}
Value largest(Value vector) {
  return fold(vector, [](Value a, Value b) { return max(a, b); });
}

Value rsqrt(Value a) {
  return 1.0 / sqrt(a);
}
Value exp(Value a) {
  return unary<math::ExpOp>(a);
}
Value log(Value a) {
  return unary<math::LogOp>(a);
}
Value sin(Value a) {
  return unary<math::SinOp>(a);
}
Value cos(Value a) {
  return unary<math::CosOp>(a);
}
Value tanh(Value a) {
  return unary<math::TanhOp>(a);
}
Value erf(Value a) {
  return unary<math::ErfOp>(a);
}

Value toIndex(Value word) {
  mlir::Type type = withElement(word, ops(word).getIndexType());
  return wrap(word, arith::IndexCastUIOp::create(ops(word), type, word.value));
}
Value toWord(Value index) {
  mlir::Type type = withElement(index, ops(index).getI32Type());
  return wrap(index, arith::IndexCastUIOp::create(ops(index), type, index.value));
}

Value permute(Value a, Value b, llvm::ArrayRef<int64_t> lanes) {
  return wrap(a, mlir::vector::ShuffleOp::create(ops(a), a.value, b.value, lanes));
}

Value concat(Value a, Value b) {
  llvm::SmallVector<int64_t> lanes;
  for (unsigned i = 0; i < a.lanes() + b.lanes(); ++i)
    lanes.push_back(i);
  return permute(a, b, lanes);
}

Value splat(Value scalar, unsigned lanes) {
  auto type = mlir::VectorType::get({static_cast<int64_t>(lanes)}, scalar.value.getType());
  return wrap(scalar, mlir::vector::BroadcastOp::create(ops(scalar), type, scalar.value));
}

} // namespace xfmr::codegen::cpu
