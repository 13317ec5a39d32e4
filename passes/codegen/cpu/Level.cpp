// The table of levels.
#include "passes/codegen/cpu/Level.h"

namespace xfmr::codegen::cpu {
namespace {
// Sums, a panel of weights (two columns of it with bf16) and an element of X must fit in the registers: 16, 32 on v4 and with NEON.
constexpr RegisterBlock kBlocks2[] = {{2, 1}, {1, 2}};
constexpr RegisterBlock kBlocks3[] = {{6, 1}, {2, 2}, {1, 4}};
constexpr RegisterBlock kBlocks4[] = {{12, 2}, {6, 2}, {2, 4}, {1, 4}};

constexpr RegisterBlock kBlocksNeon[] = {{6, 1}, {2, 2}, {1, 4}};

constexpr const char *kX86 = "x86_64-unknown-linux-gnu", *kArm = "aarch64-unknown-linux-gnu";
constexpr LevelFacts kFacts[] = {
    {"v2", kX86, "x86-64-v2", "", /*vectorBits=*/128, /*fma=*/false, /*halfConversions=*/false, /*bfloatDots=*/false,
     kBlocks2, ByteDots::None},
    {"v3", kX86, "x86-64-v3", "", 256, true, true, false, kBlocks3, ByteDots::Pairs},
    {"v4", kX86, "x86-64-v4", "", 512, true, true, false, kBlocks4, ByteDots::Pairs},
    {"v4_dot", kX86, "x86-64-v4", "+avx512vnni,+avx512bf16", 512, true, true, true, kBlocks4, ByteDots::Fours},
    {"v4_amx", kX86, "x86-64-v4", "+avx512vnni,+avx512bf16,+amx-tile,+amx-bf16,+amx-int8", 512, true, true, true,
     kBlocks4, ByteDots::Fours, /*tiles=*/true},
    {"neon", kArm, "generic", "+neon", 128, true, true, false, kBlocksNeon, ByteDots::None},
    {"neon_dot", kArm, "generic", "+neon,+dotprod", 128, true, true, false, kBlocksNeon, ByteDots::SignedFours},
};
constexpr Level kLevels[] = {Level::V2, Level::V3, Level::V4, Level::V4Dot, Level::V4Amx, Level::Neon, Level::NeonDot};
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

} // namespace xfmr::codegen::cpu
