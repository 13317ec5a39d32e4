// Intrinsics, register by register.
#include "passes/codegen/cpu/BytePairs.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {
namespace {

using detail::ops, detail::wrap;

constexpr unsigned kBits = 512; // of 16 words

Value bitsAs(Value vector, mlir::Type element) {
  auto type = mlir::VectorType::get({kBits / element.getIntOrFloatBitWidth()}, element);
  return wrap(vector, mlir::vector::BitCastOp::create(ops(vector), type, vector.value));
}

Value byRegisters(llvm::StringRef intrinsic, Value a, Value b, mlir::Type element, unsigned registers) {
  Value result;
  const int64_t from = a.lanes() / registers;
  auto type = mlir::VectorType::get({kBits / registers / element.getIntOrFloatBitWidth()}, element);
  for (unsigned r = 0; r < registers; ++r) {
    llvm::SmallVector<int64_t> part;
    for (int64_t i = 0; i < from; ++i)
      part.push_back(r * from + i);
    mlir::Value operands[] = {permute(a, a, part).value, permute(b, b, part).value};
    auto call = mlir::LLVM::CallIntrinsicOp::create(ops(a), type, ops(a).getStringAttr(intrinsic), mlir::ValueRange(operands));
    Value done = wrap(a, call.getResult(0));
    result = r ? concat(result, done) : done;
  }
  return result;
}

} // namespace

Value bytePairs(Value a, Value b, unsigned vectorBits) {
  mlir::Type byte = ops(a).getI8Type();
  return byRegisters(vectorBits == 512 ? "llvm.x86.avx512.pmaddubs.w.512" : "llvm.x86.avx2.pmadd.ub.sw", bitsAs(a, byte),
                     bitsAs(b, byte), ops(a).getI16Type(), kBits / vectorBits);
}

Value addPairs(Value pairs, int16_t factor, unsigned vectorBits) {
  return byRegisters(vectorBits == 512 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd", pairs,
                     constantLike(pairs, factor), ops(pairs).getI32Type(), kBits / vectorBits);
}

Value magnitudes(Value b) {
  Value bytes = bitsAs(b, ops(b).getI8Type());
  return bitsAs(wrap(b, mlir::math::AbsIOp::create(ops(b), bytes.value)), ops(b).getI32Type());
}

Value withSigns(Value a, Value b) {
  mlir::Type byte = ops(a).getI8Type();
  return bitsAs(byRegisters("llvm.x86.avx2.psign.b", bitsAs(a, byte), bitsAs(b, byte), byte, kBits / 256), ops(a).getI32Type());
}

} // namespace xfmr::codegen::cpu
