// Intrinsics that name their registers: LLVM orders them as calls and allocates nothing.
#include "passes/codegen/cpu/Tiles.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace xfmr::codegen::cpu {

// The configuration's 64 bytes: palette 1; from byte 16 on bytes a row of each tile, two bytes each; from byte 48 on its rows.
Tiles::Tiles(KernelBuilder &builder, uint32_t words) : k(builder) {
  Values configuration(16, k.u32(0));
  configuration[0] = k.u32(1);
  const uint32_t full = 64 | 64 << 16, a = 4 * words * 0x10001, rows = kTileRows * 0x01010101;
  for (unsigned pair = 0; pair < 4; ++pair)
    configuration[4 + pair] = k.u32(pair == kTilesA / 2 ? a : full);
  configuration[12] = k.u32(rows);
  configuration[13] = k.u32((rows & 0xffff) | (words * 0x0101) << 16);
  Buffer memory = k.stack(Element::U32, 16);
  memory.store(k.index(0), k.vector(configuration));
  call("llvm.x86.ldtilecfg", memory.address(k.index(0)));
}

void Tiles::call(const char *intrinsic, mlir::ValueRange operands) {
  mlir::LLVM::CallIntrinsicOp::create(k.ops(), k.ops().getStringAttr(intrinsic), operands);
}

mlir::Value Tiles::number(unsigned tile) {
  return mlir::LLVM::ConstantOp::create(k.ops(), k.ops().getI8Type(),
                                        k.ops().getI8IntegerAttr(static_cast<int8_t>(tile)));
}

mlir::Value Tiles::bytes(uint64_t elements) {
  return mlir::LLVM::ConstantOp::create(k.ops(), k.ops().getI64Type(),
                                        k.ops().getI64IntegerAttr(static_cast<int64_t>(4 * elements)));
}

void Tiles::release() {
  call("llvm.x86.tilerelease", {});
}
void Tiles::zero(unsigned tile) {
  call("llvm.x86.tilezero", number(tile));
}
void Tiles::load(unsigned tile, Buffer from, Value at, uint64_t stride) {
  call("llvm.x86.tileloadd64", {number(tile), from.address(at), bytes(stride)});
}
void Tiles::store(unsigned tile, Buffer to, Value at, uint64_t stride) {
  call("llvm.x86.tilestored64", {number(tile), to.address(at), bytes(stride)});
}
void Tiles::dotBfloats(unsigned c, unsigned a, unsigned b) {
  call("llvm.x86.tdpbf16ps", {number(c), number(a), number(b)});
}
void Tiles::dotBytes(unsigned c, unsigned a, unsigned b, bool signedB) {
  call(signedB ? "llvm.x86.tdpbssd" : "llvm.x86.tdpbsud", {number(c), number(a), number(b)});
}

} // namespace xfmr::codegen::cpu
