// Levels of the instruction set that kernels are compiled for. Of x86-64: v2, v3 (AVX2, FMA …), v4 (AVX-512 F, BW, CD, DQ, VL),
// v4_dot (with AVX512_VNNI and AVX512_BF16), v4_amx (that with AMX of bf16 and int8). Of aarch64: neon, neon_dot (with dot products
// of bytes). A level is a number: 1 is below all of an architecture's, 2 is its first, and so on. LevelX86.cpp and LevelArm.cpp say
// what this machine has.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>

namespace xfmr::cpu {

/// What the machine says of itself; plain data, so that the choice can be tested anywhere.
struct CpuFacts {
#if defined(__aarch64__)
  uint64_t hwcap = 0; // getauxval(AT_HWCAP)
#else
  uint32_t leaf1Ecx = 0, leaf7Ebx = 0, leaf7Ecx = 0, leaf7Edx = 0; // cpuid 1 and 7.0
  uint32_t leaf71Eax = 0, extended1Ecx = 0;                        // cpuid 7.1 and 0x80000001
  uint64_t xcr0 = 0;                                               // registers that the system saves
#endif
};
CpuFacts cpuFacts();

/// Highest level whose instructions and registers are all there.
int levelOf(const CpuFacts &facts);

/// The level of this machine, lowered by XFMR_CPU_LEVEL (a name), which is for tests and measurements, and where the registers of the
/// highest cannot be used (Tiles.h): then `note`, if asked for, says so.
Status usableLevel(int &level, std::string *note = nullptr);

/// What code of a level needs of the system before it runs. Why it cannot; empty: it can.
std::string prepare(int level);

/// "v3" is 3; 0 for anything else, names of another architecture included.
int parseLevel(const std::string &name);

/// 3 is "v3"; null below the first.
const char *levelName(int level);

/// For people: 3 is "x86-64-v3".
std::string describeLevel(int level);

/// For people: "x86-64".
extern const char *const kArchitecture;
/// What xfmr-compile --triple calls it.
extern const char *const kTriple;

/// The processor's name for people, from /proc/cpuinfo; the architecture's if it has none.
std::string cpuName();

} // namespace xfmr::cpu
