// Names of levels, and the choice of one; see Level.h.
#include "runtime/cpu/Level.h"
#include "runtime/artifact/Format.h"
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace xfmr;
using namespace xfmr::cpu;

namespace {

#if defined(__aarch64__)
constexpr auto &kNames = artifact::kArmLevels;
#else
constexpr auto &kNames = artifact::kCpuLevels;
#endif
constexpr int kFirst = 2;

/// "v2, v3, v4, v4_dot or v4_amx".
std::string allNames() {
  std::string text;
  for (size_t i = 0, n = std::size(kNames); i < n; ++i)
    text += std::string(i == 0 ? "" : i + 1 == n ? " or " : ", ") + kNames[i];
  return text;
}

} // namespace

int xfmr::cpu::parseLevel(const std::string &name) {
  int level = kFirst;
  for (const char *known : kNames) {
    if (name == known)
      return level;
    ++level;
  }
  return 0;
}

const char *xfmr::cpu::levelName(int level) {
  const int index = level - kFirst;
  return index >= 0 && index < static_cast<int>(std::size(kNames)) ? kNames[index] : nullptr;
}

Status xfmr::cpu::usableLevel(int &level, std::string *note) {
  level = levelOf(cpuFacts());
  const char *wanted = std::getenv("XFMR_CPU_LEVEL");
  if (!wanted || !*wanted) {
    const std::string fault = prepare(level);
    if (fault.empty())
      return Status::success();
    if (note) // untested: no machine at hand has the registers
      *note = std::string(levelName(level)) + " is left out: " + fault;
    --level;
    return Status::success();
  }
  const int asked = parseLevel(wanted);
  if (!asked)
    return Status::error("XFMR_CPU_LEVEL is '" + std::string(wanted) + "', expected " + allNames());
  if (asked > level)
    return Status::error("XFMR_CPU_LEVEL is " + std::string(wanted) + ", this CPU has only " + describeLevel(level));
  level = asked;
  const std::string fault = prepare(level);
  // untested: no machine at hand has the registers
  return fault.empty() ? Status::success()
                       : Status::error("XFMR_CPU_LEVEL is " + std::string(wanted) + ", but " + fault);
}

std::string xfmr::cpu::cpuName() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return kArchitecture;
}
