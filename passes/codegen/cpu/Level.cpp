// The table of levels.
#include "passes/codegen/cpu/Level.h"

namespace xfmr::codegen::cpu {
namespace {
constexpr LevelFacts kFacts[] = {
    {"v2", "x86-64-v2", 128, false, false, /*rowBlock=*/2, /*panelBlock=*/1, /*rowPanels=*/2},
    {"v3", "x86-64-v3", 256, true, true, /*rowBlock=*/6, /*panelBlock=*/1, /*rowPanels=*/4},
    {"v4", "x86-64-v4", 512, true, true, /*rowBlock=*/12, /*panelBlock=*/2, /*rowPanels=*/4},
};
constexpr Level kLevels[] = {Level::V2, Level::V3, Level::V4};
} // namespace

const LevelFacts &facts(Level level) {
  return kFacts[static_cast<unsigned>(level)];
}

llvm::ArrayRef<Level> allLevels() {
  return kLevels;
}

std::optional<Level> parseLevel(llvm::StringRef name) {
  for (Level level : kLevels)
    if (name == facts(level).name)
      return level;
  return std::nullopt;
}

std::optional<Level> hostLevel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4"))
    return Level::V4;
  if (__builtin_cpu_supports("x86-64-v3"))
    return Level::V3;
  if (__builtin_cpu_supports("x86-64-v2"))
    return Level::V2;
#endif
  return std::nullopt;
}

} // namespace xfmr::codegen::cpu
