// Levels of the x86-64 instruction set that kernels are compiled for: v2, v3 (AVX2, FMA …), v4 (AVX-512 F, BW, CD, DQ, VL),
// v4_dot (with AVX512_VNNI and AVX512_BF16). A level is a number: 1 is below all of them, 2 is v2, and so on.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>

namespace xfmr::cpu {

/// What cpuid and xgetbv say; plain data, so that the choice can be tested anywhere.
struct CpuFacts {
  uint32_t leaf1Ecx = 0, leaf7Ebx = 0, leaf7Ecx = 0; // cpuid 1 and 7.0
  uint32_t leaf71Eax = 0, extended1Ecx = 0;          // cpuid 7.1 and 0x80000001
  uint64_t xcr0 = 0;                                     // registers that the system saves
};
CpuFacts cpuFacts();

/// Highest level whose instructions and registers are all there.
int levelOf(const CpuFacts &facts);

/// The level of this machine, lowered by XFMR_CPU_LEVEL (a name of artifact::kCpuLevels), which is for tests and measurements.
Status usableLevel(int &level);

/// "v3" is 3; 0 for anything else.
int parseLevel(const std::string &name);

/// For people: 3 is "x86-64-v3".
std::string describeLevel(int level);

/// The processor's name for people, from /proc/cpuinfo; "x86-64" if it has none.
std::string cpuName();

} // namespace xfmr::cpu
