// Eight tiles a thread. Every operation checks what #UD and #GP stand for in the manual: a configuration, palette 1, and shapes that
// meet. TDPBF16PS: temp1[n][0, 1] of even and odd columns by fused multiply-adds, their sum, that to C; denormals are zeros going in
// and coming out.
#include "test/codegen/TileModel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace xfmr::codegen::cpu::test {
namespace {

struct Tile {
  uint32_t rows = 0, bytes = 0; // a row
  alignas(64) uint8_t data[16][64];
};
struct File {
  bool configured = false;
  std::array<Tile, 8> tiles;
  uint64_t products = 0;
};
thread_local File file;

void require(bool condition, const char *what) {
  if (condition)
    return;
  std::fprintf(stderr, "tile model: %s\n", what);
  std::abort();
}

Tile &tile(uint8_t number) {
  require(file.configured, "no configuration was loaded");
  require(number < 8 && file.tiles[number].rows && file.tiles[number].bytes, "a tile without a shape");
  return file.tiles[number];
}

void configure(const uint8_t *memory) {
  require(memory[0] == 1 && memory[1] == 0, "palette 1 and no start row are expected");
  for (int i = 2; i < 16; ++i)
    require(memory[i] == 0, "reserved bytes must be zero");
  for (int i = 0; i < 16; ++i) {
    uint16_t bytes;
    std::memcpy(&bytes, memory + 16 + 2 * i, 2);
    require(bytes <= 64 && memory[48 + i] <= 16 && (i < 8 || (!bytes && !memory[48 + i])),
            "a shape beyond 16 rows of 64 bytes");
    if (i < 8)
      file.tiles[i].rows = memory[48 + i], file.tiles[i].bytes = bytes, std::memset(file.tiles[i].data, 0, 1024);
  }
  file.configured = true;
}
void release() {
  file.configured = false;
}
void zero(uint8_t t) {
  std::memset(tile(t).data, 0, 1024);
}
void load(uint8_t t, const uint8_t *from, int64_t stride) {
  Tile &to = tile(t);
  std::memset(to.data, 0, 1024);
  for (uint32_t r = 0; r < to.rows; ++r)
    std::memcpy(to.data[r], from + r * stride, to.bytes);
}
void store(uint8_t t, uint8_t *to, int64_t stride) {
  const Tile &from = tile(t);
  for (uint32_t r = 0; r < from.rows; ++r)
    std::memcpy(to + r * stride, from.data[r], from.bytes);
}

float flushed(float v) {
  return std::fpclassify(v) == FP_SUBNORMAL ? std::copysign(0.0f, v) : v;
}
// A multiply-add with denormals as zeros.
float add(float sum, uint16_t a, uint16_t b) {
  auto widen = [](uint16_t bits) {
    uint32_t word = uint32_t(bits) << 16;
    float v;
    std::memcpy(&v, &word, 4);
    return flushed(v);
  };
  return flushed(std::fma(widen(a), widen(b), sum));
}

// body(row of C, row of A, word) for C += A * B.
template <typename Word, typename Sum, typename Body> void product(uint8_t c, uint8_t a, uint8_t b, Body body) {
  Tile &to = tile(c), &x = tile(a), &w = tile(b);
  require(c != a && c != b && a != b, "operands must differ");
  require(to.rows == x.rows && to.bytes == w.bytes && x.bytes == 4 * w.rows, "shapes do not meet");
  ++file.products;
  const uint32_t words = w.rows, columns = to.bytes / 4;
  for (uint32_t m = 0; m < to.rows; ++m) {
    auto *sums = reinterpret_cast<Sum *>(to.data[m]);
    for (uint32_t n = 0; n < columns; ++n)
      sums[n] = body(
          sums[n], words,
          [&](uint32_t k, uint32_t i) { return reinterpret_cast<const Word *>(x.data[m])[k * (4 / sizeof(Word)) + i]; },
          [&](uint32_t k, uint32_t i) {
            return reinterpret_cast<const Word *>(w.data[k])[n * (4 / sizeof(Word)) + i];
          });
  }
}
void dotBfloats(uint8_t c, uint8_t a, uint8_t b) {
  product<uint16_t, float>(c, a, b, [](float sum, uint32_t words, auto x, auto w) {
    float even = 0, odd = 0;
    for (uint32_t k = 0; k < words; ++k)
      even = add(even, x(k, 0), w(k, 0)), odd = add(odd, x(k, 1), w(k, 1));
    return flushed(sum + flushed(even + odd));
  });
}
template <typename B> void dotBytes(uint8_t c, uint8_t a, uint8_t b) {
  product<int8_t, int32_t>(c, a, b, [](int32_t sum, uint32_t words, auto x, auto w) {
    for (uint32_t k = 0; k < words; ++k)
      for (uint32_t i = 0; i < 4; ++i)
        sum += int32_t(x(k, i)) * static_cast<B>(w(k, i));
    return sum;
  });
}

struct Known {
  llvm::StringRef intrinsic;
  uint64_t address;
};
template <typename F> uint64_t at(F *function) {
  return reinterpret_cast<uint64_t>(function);
}
const Known kKnown[] = {{"llvm.x86.ldtilecfg", at(&configure)},
                        {"llvm.x86.tilerelease", at(&release)},
                        {"llvm.x86.tilezero", at(&zero)},
                        {"llvm.x86.tileloadd64", at(&load)},
                        {"llvm.x86.tilestored64", at(&store)},
                        {"llvm.x86.tdpbf16ps", at(&dotBfloats)},
                        {"llvm.x86.tdpbssd", at(&dotBytes<int8_t>)},
                        {"llvm.x86.tdpbsud", at(&dotBytes<uint8_t>)}};

} // namespace

uint64_t tileProducts() {
  return file.products;
}

unsigned callTileModel(mlir::ModuleOp kernels) {
  llvm::SmallVector<mlir::LLVM::CallIntrinsicOp> calls;
  kernels.walk([&](mlir::LLVM::CallIntrinsicOp call) {
    if (call.getIntrin().starts_with("llvm.x86.t") || call.getIntrin().starts_with("llvm.x86.ldtile"))
      calls.push_back(call);
  });
  for (mlir::LLVM::CallIntrinsicOp call : calls) {
    mlir::ImplicitLocOpBuilder b(call.getLoc(), call);
    const Known *known = llvm::find_if(kKnown, [&](const Known &k) { return k.intrinsic == call.getIntrin(); });
    require(known != std::end(kKnown), "an intrinsic that it does not know");
    mlir::Value number =
        mlir::LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(static_cast<int64_t>(known->address)));
    llvm::SmallVector<mlir::Value> operands = {
        mlir::LLVM::IntToPtrOp::create(b, mlir::LLVM::LLVMPointerType::get(b.getContext()), number)};
    llvm::append_range(operands, call.getArgs());
    llvm::SmallVector<mlir::Type> types;
    for (mlir::Value operand : call.getArgs())
      types.push_back(operand.getType());
    auto type = mlir::LLVM::LLVMFunctionType::get(mlir::LLVM::LLVMVoidType::get(b.getContext()), types);
    mlir::LLVM::CallOp::create(b, type, operands);
    call.erase();
  }
  return static_cast<unsigned>(calls.size());
}

} // namespace xfmr::codegen::cpu::test
