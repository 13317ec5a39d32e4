// The probe of the machine: what it reads and counts is right; how fast is nobody's promise, so no rate is compared with a
// number, only with another of the same run where one must follow from the other.
#include "runtime/roofline/Roofline.h"
#include <gtest/gtest.h>

using namespace xfmr::roofline;

TEST(Roofline, ReadingReadsEveryWordOnce) {
  constexpr uint64_t kBytes = 1 << 16;
  std::vector<uint64_t> storage(kBytes / 8 + 8);
  auto *words = reinterpret_cast<uint64_t *>((reinterpret_cast<uintptr_t>(storage.data()) + 63) / 64 * 64);
  uint64_t expected = 0, random = 1;
  for (uint64_t i = 0; i < kBytes / 8; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    expected ^= words[i] = random;
  }
  EXPECT_EQ(readAll(words, kBytes), expected);
  EXPECT_EQ(readAll(words, 256) ^ readAll(words + 32, kBytes - 256), expected);
  words[4711] ^= 0x10;
  EXPECT_EQ(readAll(words, kBytes), expected ^ 0x10);
}

TEST(Roofline, LoopsCountTheirOperations) {
  for (const Loop &loop : loops()) {
    SCOPED_TRACE(loop.instructions);
    if (!loop.runs)
      continue;
    const double round = loop.run(1);
    // Chains of a register full of numbers: f32 is 32 bits, and a lane of a dot product takes 32 bits of its operands too.
    const double lanes = loop.bits / 32, products = loop.operands == Operands::f32 ? 1 : loop.operands == Operands::bf16 ? 2 : 4;
    if (loop.level == 6) { // six tiles of sums, each with 16 columns of one tile for each lane of the other
      EXPECT_EQ(round, 6 * 16 * 2 * lanes * products);
      continue;
    }
    const bool inThree = loop.instructions == std::string("avx2 vpmaddubsw, vpmaddwd, vpaddd");
    EXPECT_EQ(round / (2 * lanes * products), inThree ? 8 : loop.bits == 512 ? 24 : 12);
    EXPECT_EQ(loop.run(100), 100 * round);
  }
  EXPECT_TRUE(loops().front().runs);
}

// Tiles count where the level has them, and a level without them does not see them.
TEST(Roofline, TilesAreARoofOfTheirOwn) {
#if defined(__x86_64__)
  size_t tiles = 0;
  for (const Loop &loop : loops())
    if (loop.level == 6) {
      ++tiles;
      EXPECT_EQ(loop.bits, 16u * 64 * 8) << loop.instructions;
      EXPECT_TRUE(loop.operands == Operands::bf16 || loop.operands == Operands::int8);
      for (const Loop &other : loops()) // whoever has tiles has the vectors
        EXPECT_TRUE(!loop.runs || other.runs || other.instructions == std::string("avxvnni vpdpbusd")) << other.instructions;
    }
  EXPECT_EQ(tiles, 2u);
#endif
  const Loop dot = {Operands::bf16, "", 512, 5, true, nullptr}, tile = {Operands::bf16, "", 8192, 6, true, nullptr};
  Roofline roof;
  roof.peaks = {{&dot, 100, 200}, {&tile, 800, 1600}};
  EXPECT_EQ(roof.operationsPerSecond(Operands::bf16), 1600);
  EXPECT_EQ(roof.operationsPerSecond(Operands::bf16, 5), 200);
}

TEST(Roofline, MeasuresEveryLoopThatRunsAndEveryCountOfThreads) {
  Options options;
  options.threads = 3;
  options.bytes = 12 << 20;
  options.seconds = 1e-3;
  const Roofline found = measure(options);
  EXPECT_EQ(found.bytes, 12u << 20);
  ASSERT_EQ(found.bandwidth.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(found.bandwidth[i].threads, i + 1);
    EXPECT_GT(found.bandwidth[i].bytesPerSecond, 0);
    EXPECT_GE(found.bytesPerSecond(), found.bandwidth[i].bytesPerSecond);
  }
  size_t running = 0;
  for (const Loop &loop : loops())
    running += loop.runs;
  EXPECT_EQ(found.peaks.size(), running);
  for (const Peak &peak : found.peaks) {
    EXPECT_GT(peak.oneThread, 0);
    EXPECT_GT(peak.allThreads, 0);
  }
}

TEST(Roofline, ALevelBoundsTheLoops) {
  Options options;
  options.level = 2;
  options.bytes = 2 << 20;
  options.seconds = 1e-3;
  const Roofline found = measure(options);
  ASSERT_EQ(found.peaks.size(), 1u);
  EXPECT_EQ(found.peaks[0].loop->bits, 128u);
  EXPECT_EQ(found.peaks[0].oneThread, found.peaks[0].allThreads);
}

TEST(Roofline, OperandsWithoutInstructionsOfTheirOwnAreWidened) {
  const Loop f32 = {Operands::f32, "", 128, 2, true, nullptr}, wide = {Operands::f32, "", 512, 4, true, nullptr},
             bf16 = {Operands::bf16, "", 512, 4, true, nullptr};
  Roofline roof;
  EXPECT_EQ(roof.operationsPerSecond(Operands::f32), 0);
  EXPECT_EQ(roof.bytesPerSecond(), 0);
  roof.peaks = {{&f32, 10, 20}, {&wide, 40, 80}, {&bf16, 80, 160}};
  EXPECT_EQ(roof.operationsPerSecond(Operands::f32), 80);
  EXPECT_EQ(roof.operationsPerSecond(Operands::int8), 80);
  EXPECT_EQ(roof.operationsPerSecond(Operands::bf16), 160);
  EXPECT_EQ(roof.operationsPerSecond(Operands::bf16, 3), 20);
}
