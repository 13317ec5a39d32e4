// Levels of the x86-64 instruction set that kernels are compiled for: v2, v3 (AVX2, FMA …), v4 (AVX-512 F, BW, CD, DQ, VL).
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>

namespace xfmr::cpu {

/// What cpuid and xgetbv say; plain data, so that the choice can be tested anywhere.
struct CpuFacts {
  uint32_t leaf1Ecx = 0, leaf7Ebx = 0, extended1Ecx = 0; // cpuid 1, 7.0 and 0x80000001
  uint64_t xcr0 = 0;                                     // registers that the system saves
};
CpuFacts cpuFacts();

/// Highest level whose instructions and registers are all there: 2, 3 or 4; 1 without v2.
int levelOf(const CpuFacts &facts);

/// The level of this machine, lowered by XFMR_CPU_LEVEL ("v2", "v3", "v4"), which is for tests and measurements.
Status usableLevel(int &level);

/// "v3" is 3; 0 for anything else.
int parseLevel(const std::string &name);

/// The processor's name for people, from /proc/cpuinfo; "x86-64" if it has none.
std::string cpuName();

} // namespace xfmr::cpu
