// Loops on registers of x86-64, one a kind of instruction; see Roofline.h. The instructions stand in assembly: a compiler that
// understood the loop would do less than it says.
#include "runtime/roofline/Roofline.h"
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace xfmr::roofline;

namespace {

// Two units take an instruction a cycle and answer after four to six, so twelve chains keep them busy, just; with 32 registers there are
// twice as many, for whatever else a cycle may be lost to. They are registers only where their loop is unrolled.
#if defined(__clang__)
#define XFMR_UNROLLED _Pragma("clang loop unroll(full)")
#else
#define XFMR_UNROLLED _Pragma("GCC unroll 24")
#endif
#define XFMR_LOOP(chains, instruction, constraint, Register, zero)                                                            \
  Register a[chains], x = zero, y = zero;                                                                                    \
  for (auto &v : a)                                                                                                          \
    v = zero;                                                                                                                \
  for (uint64_t i = 0; i < rounds; ++i)                                                                                      \
    XFMR_UNROLLED                                                                                                            \
    for (auto &v : a)                                                                                                        \
      asm volatile(instruction : "+" constraint(v) : constraint(x), constraint(y))

double f32x128(uint64_t rounds) {
  XFMR_LOOP(12, "mulps %1, %0\n\taddps %2, %0", "x", __m128, _mm_setzero_ps());
  return 2.0 * 12 * 4 * static_cast<double>(rounds);
}
__attribute__((target("avx2,fma"))) double f32x256(uint64_t rounds) {
  XFMR_LOOP(12, "vfmadd231ps %2, %1, %0", "x", __m256, _mm256_setzero_ps());
  return 2.0 * 12 * 8 * static_cast<double>(rounds);
}
__attribute__((target("avx512f"))) double f32x512(uint64_t rounds) {
  XFMR_LOOP(24, "vfmadd231ps %2, %1, %0", "v", __m512, _mm512_setzero_ps());
  return 2.0 * 24 * 16 * static_cast<double>(rounds);
}
__attribute__((target("avx512f,avx512bf16"))) double bf16x512(uint64_t rounds) {
  XFMR_LOOP(24, "vdpbf16ps %2, %1, %0", "v", __m512, _mm512_setzero_ps());
  return 2.0 * 24 * 32 * static_cast<double>(rounds);
}
// Without VNNI a dot product of bytes is three instructions: pairs into 16 bits, pairs of those into 32, a sum. The first two
// write a register of their own, so that rounds do not wait for each other.
__attribute__((target("avx2"))) double int8x256(uint64_t rounds) {
  __m256i a[8], x = _mm256_setzero_si256(), y = x, t;
  for (auto &v : a)
    v = _mm256_setzero_si256();
  for (uint64_t i = 0; i < rounds; ++i)
    for (auto &v : a)
      asm volatile("vpmaddubsw %3, %2, %1\n\tvpmaddwd %3, %1, %1\n\tvpaddd %1, %0, %0" : "+x"(v), "=&x"(t) : "x"(x), "x"(y));
  return 2.0 * 8 * 32 * static_cast<double>(rounds);
}
__attribute__((target("avxvnni"))) double int8x256Vnni(uint64_t rounds) {
  XFMR_LOOP(12, "%{vex%} vpdpbusd %2, %1, %0", "x", __m256i, _mm256_setzero_si256());
  return 2.0 * 12 * 32 * static_cast<double>(rounds);
}
__attribute__((target("avx512f,avx512vnni"))) double int8x512Vnni(uint64_t rounds) {
  XFMR_LOOP(24, "vpdpbusd %2, %1, %0", "v", __m512i, _mm512_setzero_si512());
  return 2.0 * 24 * 64 * static_cast<double>(rounds);
}

// Six tiles of 16 x 16 sums hide the latency of a unit that takes a product every 16 cycles and answers after 52. A and B are tiles of
// 16 rows of 64 bytes; all stay zero.
struct alignas(64) TileShapes {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileShapes kTileShapes;
constexpr int kTileSums = 6;
#define XFMR_EACH_TILE(text) text("0") text("1") text("2") text("3") text("4") text("5")
#define XFMR_TILE_ZERO(c) asm volatile("tilezero %tmm" c);
#define XFMR_TILE_BFLOATS(c) asm volatile("tdpbf16ps %tmm7, %tmm6, %tmm" c);
#define XFMR_TILE_BYTES(c) asm volatile("tdpbsud %tmm7, %tmm6, %tmm" c);
#define XFMR_TILE_LOOP(product, depth)                                                                                        \
  asm volatile("ldtilecfg %0" : : "m"(kTileShapes));                                                                        \
  XFMR_EACH_TILE(XFMR_TILE_ZERO)                                                                                            \
  XFMR_TILE_ZERO("6")                                                                                                       \
  XFMR_TILE_ZERO("7")                                                                                                       \
  for (uint64_t i = 0; i < rounds; ++i) {                                                                                   \
    XFMR_EACH_TILE(product)                                                                                                 \
  }                                                                                                                         \
  asm volatile("tilerelease");                                                                                              \
  return 2.0 * kTileSums * 16 * 16 * (depth) * static_cast<double>(rounds)

__attribute__((target("amx-tile,amx-bf16"))) double bf16Tiles(uint64_t rounds) {
  XFMR_TILE_LOOP(XFMR_TILE_BFLOATS, 32);
}
__attribute__((target("amx-tile,amx-int8"))) double int8Tiles(uint64_t rounds) {
  XFMR_TILE_LOOP(XFMR_TILE_BYTES, 64);
}

/// cpuid 7.0 edx AMX_BF16 22, AMX_TILE 24, AMX_INT8 25; and the system gives this process the registers, which fails where it does not
/// save them.
bool hasTiles() {
  constexpr uint32_t kBits = 1u << 22 | 1u << 24 | 1u << 25;
  constexpr long kRequestPermission = 0x1023, kTileData = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  uint32_t a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kBits) == kBits &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

/// cpuid 7.1 eax bit 4, which __builtin_cpu_supports knows only in newer compilers; the caller asks for AVX2.
bool hasAvxVnni() {
  uint32_t a, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

} // namespace

const std::vector<Loop> &xfmr::roofline::loops() {
  // The builtin asks the system too, whether it saves the registers.
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
                    avx512 = __builtin_cpu_supports("avx512f"), tiles = hasTiles();
  static const std::vector<Loop> all = {
      {Operands::f32, "sse mul, add", 128, 2, true, f32x128},
      {Operands::f32, "avx2 fma", 256, 3, avx2, f32x256},
      {Operands::f32, "avx512f fma", 512, 4, avx512, f32x512},
      {Operands::bf16, "avx512bf16 vdpbf16ps", 512, 5, avx512 && __builtin_cpu_supports("avx512bf16"), bf16x512},
      {Operands::bf16, "amx tdpbf16ps", 8192, 6, tiles, bf16Tiles},
      {Operands::int8, "avx2 vpmaddubsw, vpmaddwd, vpaddd", 256, 3, avx2, int8x256},
      {Operands::int8, "avxvnni vpdpbusd", 256, 3, avx2 && hasAvxVnni(), int8x256Vnni},
      {Operands::int8, "avx512vnni vpdpbusd", 512, 5, avx512 && __builtin_cpu_supports("avx512vnni"), int8x512Vnni},
      {Operands::int8, "amx tdpbsud", 8192, 6, tiles, int8Tiles},
  };
  return all;
}
