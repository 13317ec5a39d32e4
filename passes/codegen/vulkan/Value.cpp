// What values of shaders have beyond the arithmetic of all targets.
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

using detail::ops, detail::wrap;

Value sum(Value vector) {
  return (vector[0] + vector[1]) + (vector[2] + vector[3]);
}

Value dot(Value a, Value b, Value start) {
  for (unsigned lane = 0; lane < 4; ++lane)
    start = fma(a[lane], b[lane], start);
  return start;
}

Value rsqrt(Value a) {
  return detail::unary<mlir::math::RsqrtOp>(a);
}

Value unpackHalf(Value word) {
  auto type = mlir::VectorType::get({2}, ops(word).getF32Type());
  return wrap(word, mlir::spirv::GLUnpackHalf2x16Op::create(ops(word), type, word.value));
}

Value packHalf(Value low, Value high) {
  auto type = mlir::VectorType::get({2}, ops(low).getF32Type());
  mlir::Value pair =
      mlir::vector::FromElementsOp::create(ops(low), type, mlir::ValueRange{low.value, high.value});
  return wrap(low, mlir::spirv::GLPackHalf2x16Op::create(ops(low), ops(low).getI32Type(), pair));
}

Value unpackBfloat(Value word) {
  auto type = mlir::VectorType::get({2}, ops(word).getF32Type());
  Value low = asFloat(word << 16), high = asFloat(word & 0xffff0000u);
  return wrap(word, mlir::vector::FromElementsOp::create(ops(word), type,
                                                         mlir::ValueRange{low.value, high.value}));
}

} // namespace xfmr::codegen
