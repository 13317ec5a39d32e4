// What the kernel says of an aarch64 CPU; see Level.h.
#include "runtime/cpu/Level.h"
#include <sys/auxv.h>

using namespace xfmr::cpu;

const char *const xfmr::cpu::kArchitecture = "aarch64";
const char *const xfmr::cpu::kTriple = "aarch64-linux-gnu";

namespace {
constexpr uint64_t kAsimd = 1 << 1,
                   kAsimdDp = 1 << 20; // HWCAP_ASIMD and HWCAP_ASIMDDP of the kernel's documentation of ELF hwcaps
} // namespace

CpuFacts xfmr::cpu::cpuFacts() {
  CpuFacts facts;
  facts.hwcap = getauxval(AT_HWCAP);
  return facts;
}

int xfmr::cpu::levelOf(const CpuFacts &facts) {
  if (!(facts.hwcap & kAsimd))
    return 1;
  return facts.hwcap & kAsimdDp ? 3 : 2;
}

std::string xfmr::cpu::prepare(int) {
  return {};
}

std::string xfmr::cpu::describeLevel(int level) {
  return level >= 3 ? "aarch64 with NEON and dot products" : level == 2 ? "aarch64 with NEON" : "aarch64 without NEON";
}
