// What values of CPU kernels have beyond the arithmetic of all targets.
#include "passes/codegen/cpu/Value.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

namespace {
// The bits of a vector as lanes of another type.
Value bitsAs(Value vector, mlir::Type element, unsigned lanes) {
  auto type = mlir::VectorType::get({static_cast<int64_t>(lanes)}, element);
  return wrap(vector, mlir::vector::BitCastOp::create(ops(vector), type, vector.value));
}
} // namespace

Value bfloatPairs(Value floats) {
  if (floats.lanes() == 32) { // one instruction where two registers are narrowed apart and joined
    Values halves;
    for (int64_t from : {16, 0}) {
      llvm::SmallVector<int64_t> lanes;
      for (int64_t i = 0; i < 16; ++i)
        lanes.push_back(from + i);
      halves.push_back(permute(floats, floats, lanes));
    }
    mlir::Value operands[] = {halves[0].value, halves[1].value};
    auto call = mlir::LLVM::CallIntrinsicOp::create(ops(floats), mlir::VectorType::get({32}, ops(floats).getBF16Type()),
                                                    ops(floats).getStringAttr("llvm.x86.avx512bf16.cvtne2ps2bf16.512"),
                                                    mlir::ValueRange(operands));
    return bitsAs(wrap(floats, call.getResult(0)), ops(floats).getI32Type(), 16);
  }
  mlir::Type type = withElement(floats, ops(floats).getBF16Type());
  Value narrow = wrap(floats, arith::TruncFOp::create(ops(floats), type, floats.value));
  return bitsAs(narrow, ops(floats).getI32Type(), floats.lanes() / 2);
}

Value bfloatDot(Value a, Value b, Value sum) {
  mlir::Type bfloat = ops(sum).getBF16Type();
  mlir::Value operands[] = {sum.value, bitsAs(a, bfloat, 32).value, bitsAs(b, bfloat, 32).value};
  auto call = mlir::LLVM::CallIntrinsicOp::create(ops(sum), sum.value.getType(), ops(sum).getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
                                                  mlir::ValueRange(operands));
  return wrap(sum, call.getResult(0));
}

Value halves(Value words) {
  Value narrow = bitsAs(words, ops(words).getF16Type(), 2 * words.lanes());
  return wrap(words, arith::ExtFOp::create(ops(words), withElement(narrow, ops(words).getF32Type()), narrow.value));
}

Value fromSigned(Value words) {
  return wrap(words, arith::SIToFPOp::create(ops(words), withElement(words, ops(words).getF32Type()), words.value));
}

Value lowBytes(Value words) {
  Value bytes = wrap(words, arith::TruncIOp::create(ops(words), withElement(words, ops(words).getI8Type()), words.value));
  return bitsAs(bytes, ops(words).getI32Type(), words.lanes() / 4);
}

namespace {
// Register by register of 128 bits.
Value signedByteDot(Value sum, Value a, Value b) {
  Value result;
  for (int64_t from = 0; from < 16; from += 4) {
    auto part = [&](Value v) { return permute(v, v, {from, from + 1, from + 2, from + 3}); };
    Value own = part(sum);
    mlir::Type byte = ops(sum).getI8Type();
    mlir::Value operands[] = {own.value, bitsAs(part(a), byte, 16).value, bitsAs(part(b), byte, 16).value};
    auto call = mlir::LLVM::CallIntrinsicOp::create(
        ops(sum), own.value.getType(), ops(sum).getStringAttr("llvm.aarch64.neon.sdot"), mlir::ValueRange(operands));
    result = from ? concat(result, wrap(sum, call.getResult(0))) : wrap(sum, call.getResult(0));
  }
  return result;
}
} // namespace

Value byteDot(Value sum, Value a, Value b) {
  if (sum.builder->facts().byteDots == ByteDots::SignedFours)
    return signedByteDot(sum, a, b);
  mlir::Type byte = ops(sum).getI8Type();
  mlir::Value operands[] = {sum.value, bitsAs(a, byte, 64).value, bitsAs(b, byte, 64).value};
  auto call = mlir::LLVM::CallIntrinsicOp::create(ops(sum), sum.value.getType(), ops(sum).getStringAttr("llvm.x86.avx512.vpdpbusd.512"),
                                                  mlir::ValueRange(operands));
  return wrap(sum, call.getResult(0));
}

} // namespace xfmr::codegen::cpu
