// cpuid and what it means; see Level.h. Bits by the x86-64 psABI's table of micro-architecture levels.
#include "runtime/cpu/Level.h"
#include "runtime/cpu/Tiles.h"
#include <cpuid.h>
#include <initializer_list>

using namespace xfmr::cpu;

const char *const xfmr::cpu::kArchitecture = "x86-64";
const char *const xfmr::cpu::kTriple = "x86_64-linux-gnu";

namespace {

constexpr uint32_t bits(std::initializer_list<int> list) {
  uint32_t mask = 0;
  for (int bit : list)
    mask |= 1u << bit;
  return mask;
}
constexpr bool has(uint64_t value, uint64_t mask) { return (value & mask) == mask; }

// cpuid 1 ecx: SSE3 0, SSSE3 9, FMA 12, CMPXCHG16B 13, SSE4.1 19, SSE4.2 20, MOVBE 22, POPCNT 23, OSXSAVE 27, AVX 28, F16C 29.
constexpr uint32_t kV2Leaf1 = bits({0, 9, 13, 19, 20, 23}), kV3Leaf1 = bits({12, 22, 27, 28, 29});
// cpuid 7 ebx: BMI1 3, AVX2 5, BMI2 8, AVX512F 16, DQ 17, CD 28, BW 30, VL 31.
constexpr uint32_t kV3Leaf7 = bits({3, 5, 8}), kV4Leaf7 = bits({16, 17, 28, 30, 31});
// cpuid 7.0 ecx: AVX512_VNNI 11; 7.1 eax: AVX512_BF16 5.
constexpr uint32_t kDotLeaf7 = bits({11}), kDotLeaf71 = bits({5});
// cpuid 7.0 edx: AMX_BF16 22, AMX_TILE 24, AMX_INT8 25.
constexpr uint32_t kAmxLeaf7 = bits({22, 24, 25});
// cpuid 0x80000001 ecx: LZCNT 5.
constexpr uint32_t kV3Extended = bits({5});
// xcr0: SSE 1, AVX 2, opmask 5, ZMM 6 and 7, tiles 17 and 18.
constexpr uint32_t kV3Registers = bits({1, 2}), kV4Registers = bits({5, 6, 7}), kAmxRegisters = bits({17, 18});
constexpr int kAmx = 6;

} // namespace

CpuFacts xfmr::cpu::cpuFacts() {
  CpuFacts facts;
  uint32_t a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d))
    facts.leaf1Ecx = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
    facts.leaf7Ebx = b, facts.leaf7Ecx = c, facts.leaf7Edx = d;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d))
    facts.leaf71Eax = a;
  if (__get_cpuid(0x80000001, &a, &b, &c, &d))
    facts.extended1Ecx = c;
  if (facts.leaf1Ecx & bits({27})) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    facts.xcr0 = uint64_t(high) << 32 | low;
  }
  return facts;
}

int xfmr::cpu::levelOf(const CpuFacts &facts) {
  if (!has(facts.leaf1Ecx, kV2Leaf1))
    return 1;
  if (!has(facts.leaf1Ecx, kV3Leaf1) || !has(facts.leaf7Ebx, kV3Leaf7) || !has(facts.extended1Ecx, kV3Extended) ||
      !has(facts.xcr0, kV3Registers))
    return 2;
  if (!has(facts.leaf7Ebx, kV4Leaf7) || !has(facts.xcr0, kV4Registers))
    return 3;
  if (!has(facts.leaf7Ecx, kDotLeaf7) || !has(facts.leaf71Eax, kDotLeaf71))
    return 4;
  return has(facts.leaf7Edx, kAmxLeaf7) && has(facts.xcr0, kAmxRegisters) ? kAmx : 5;
}

std::string xfmr::cpu::prepare(int level) {
  return level == kAmx ? enableTiles() : std::string();
}

std::string xfmr::cpu::describeLevel(int level) {
  if (level == kAmx)
    return "x86-64-v4 with AVX512_VNNI, AVX512_BF16 and AMX";
  if (level == 5)
    return "x86-64-v4 with AVX512_VNNI and AVX512_BF16";
  return "x86-64-v" + std::to_string(level);
}
