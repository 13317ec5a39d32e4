// Loops on registers of aarch64, one a kind of instruction; see Roofline.h. The instructions stand in assembly: a compiler that
// understood the loop would do less than it says.
#include "runtime/roofline/Roofline.h"
#include <arm_neon.h>
#include <sys/auxv.h>

using namespace xfmr::roofline;

namespace {

// Sixteen chains hide the latency of four units that take an instruction a cycle and answer after four.
constexpr int kChains = 16;

double f32x128(uint64_t rounds) {
  float32x4_t a[kChains], x = vdupq_n_f32(0), y = x;
  for (auto &v : a)
    v = x;
  for (uint64_t i = 0; i < rounds; ++i)
    for (auto &v : a)
      asm volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(v) : "w"(x), "w"(y));
  return 2.0 * kChains * 4 * static_cast<double>(rounds);
}

double int8x128(uint64_t rounds) {
  int32x4_t a[kChains];
  int8x16_t x = vdupq_n_s8(0), y = x;
  for (auto &v : a)
    v = vdupq_n_s32(0);
  for (uint64_t i = 0; i < rounds; ++i)
    for (auto &v : a)
      asm volatile(".arch_extension dotprod\n\tsdot %0.4s, %1.16b, %2.16b" : "+w"(v) : "w"(x), "w"(y));
  return 2.0 * kChains * 16 * static_cast<double>(rounds);
}

} // namespace

const std::vector<Loop> &xfmr::roofline::loops() {
  constexpr uint64_t kDotProducts = 1 << 20; // HWCAP_ASIMDDP
  static const std::vector<Loop> all = {
      {Operands::f32, "neon fmla", 128, 2, true, f32x128},
      {Operands::int8, "dotprod sdot", 128, 2, (getauxval(AT_HWCAP) & kDotProducts) != 0, int8x128},
  };
  return all;
}
