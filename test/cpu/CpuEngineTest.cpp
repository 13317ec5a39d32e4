// Levels over made-up facts, choice of variants, and loading: from memory, from a file, without a symbol, two at once, weights
// in place.
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/cpu/Library.h"
#include "runtime/cpu/Threads.h"
#include "runtime/cpu/Tiles.h"
#include "runtime/session/Session.h"
#include "test/artifact/toy/ToyModel.h"
#include <cstring>
#include <gtest/gtest.h>
#include <sched.h>
#include <thread>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::cpu;

namespace {

TEST(CpuLevel, EveryBitCounts) {
  // All bits of v4_dot.
  CpuFacts all;
  all.leaf1Ecx = 1u << 0 | 1u << 9 | 1u << 12 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 22 | 1u << 23 | 1u << 27 | 1u << 28 | 1u << 29;
  all.leaf7Ebx = 1u << 3 | 1u << 5 | 1u << 8 | 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
  all.leaf7Ecx = 1u << 11, all.leaf71Eax = 1u << 5;
  all.extended1Ecx = 1u << 5;
  all.xcr0 = 0xe6;
  EXPECT_EQ(levelOf(all), 5);
  EXPECT_EQ(levelOf({}), 1);
  for (int bit = 0; bit < 32; ++bit) {
    CpuFacts less = all;
    less.leaf1Ecx &= ~(1u << bit);
    if (less.leaf1Ecx != all.leaf1Ecx) {
      const bool v2 = bit == 0 || bit == 9 || bit == 13 || bit == 19 || bit == 20 || bit == 23;
      EXPECT_EQ(levelOf(less), v2 ? 1 : 2) << bit;
    }
    less = all;
    less.leaf7Ebx &= ~(1u << bit);
    if (less.leaf7Ebx != all.leaf7Ebx)
      EXPECT_EQ(levelOf(less), bit < 9 ? 2 : 3) << bit;
  }
  CpuFacts less = all;
  less.leaf7Ecx = 0;
  EXPECT_EQ(levelOf(less), 4);
  less = all;
  less.leaf71Eax = 0;
  EXPECT_EQ(levelOf(less), 4);
  less = all;
  less.extended1Ecx = 0;
  EXPECT_EQ(levelOf(less), 2);
  // Tiles: AMX_BF16, AMX_TILE, AMX_INT8, and both of their states saved.
  CpuFacts tiles = all;
  tiles.leaf7Edx = 1u << 22 | 1u << 24 | 1u << 25;
  EXPECT_EQ(levelOf(tiles), 5) << "the system saves no tiles";
  tiles.xcr0 |= 3u << 17;
  EXPECT_EQ(levelOf(tiles), 6);
  EXPECT_EQ(describeLevel(6), "x86-64-v4 with AVX512_VNNI, AVX512_BF16 and AMX");
  for (int bit : {22, 24, 25}) {
    less = tiles;
    less.leaf7Edx &= ~(1u << bit);
    EXPECT_EQ(levelOf(less), 5) << bit;
  }
  for (int bit : {17, 18}) {
    less = tiles;
    less.xcr0 &= ~(uint64_t(1) << bit);
    EXPECT_EQ(levelOf(less), 5) << bit;
  }
  less = all;
  less.xcr0 = 0x6; // the system saves no AVX-512 registers
  EXPECT_EQ(levelOf(less), 3);
  less.xcr0 = 0x2;
  EXPECT_EQ(levelOf(less), 2);
}

/// C = A B of one tile in plain C++; `flaw` is added to one element.
template <typename Number, typename Sum, int flaw> void multiply(const Number *a, const Number *b, Sum *c) {
  constexpr int depth = 64 / sizeof(Number), each = 4 / sizeof(Number);
  auto number = [](Number n) {
    if constexpr (sizeof(Number) == 1)
      return Sum(n);
    uint32_t word = uint32_t(n) << 16;
    float wide;
    std::memcpy(&wide, &word, 4);
    return Sum(wide);
  };
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) {
      Sum sum = i == 15 && j == 3 ? flaw : 0;
      for (int k = 0; k < depth; ++k)
        sum += number(a[i * depth + k]) * number(b[(k / each * 16 + j) * each + k % each]);
      c[i * 16 + j] = sum;
    }
}

TEST(CpuLevel, TilesAreTried) {
  EXPECT_EQ(tileFault({multiply<uint16_t, float, 0>, multiply<int8_t, int32_t, 0>}), "");
  EXPECT_EQ(tileFault({multiply<uint16_t, float, 1>, multiply<int8_t, int32_t, 0>}),
            "a product of two tiles of bf16 is wrong");
  EXPECT_EQ(tileFault({multiply<uint16_t, float, 0>, multiply<int8_t, int32_t, 1>}),
            "a product of two tiles of bytes is wrong");
  EXPECT_EQ(prepare(5), "") << "other levels need nothing";
}

TEST(CpuLevel, Environment) {
  int level = 0;
  setenv("XFMR_CPU_LEVEL", "fast", 1);
  EXPECT_EQ(usableLevel(level).message(), "XFMR_CPU_LEVEL is 'fast', expected v2, v3, v4, v4_dot or v4_amx");
  setenv("XFMR_CPU_LEVEL", "v2", 1);
  EXPECT_EQ(usableLevel(level).message(), "");
  EXPECT_EQ(level, 2);
  unsetenv("XFMR_CPU_LEVEL");
  EXPECT_EQ(usableLevel(level).message(), "");
  EXPECT_EQ(level, levelOf(cpuFacts()) - !prepare(levelOf(cpuFacts())).empty());
  EXPECT_GE(allowedCores(), 1u);
  EXPECT_LE(allowedCores(), std::thread::hardware_concurrency());
}

TEST(CpuThreads, OnlyCoresThatAreAllowed) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before))
      CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(allowedCores(), 1u);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

struct Loading : testing::Test {
  std::string path = testing::TempDir() + "cpu." + std::to_string(getpid()) + ".xfm";
  void TearDown() override {
    unlink(path.c_str());
    unsetenv("XFMR_CPU_LEVEL");
    unsetenv("XFMR_CPU_CODE");
  }
  std::string open(const toy::Contents &contents, std::shared_ptr<const engine::Engine> &engine, uint32_t threads = 2) {
    EXPECT_EQ(toy::write(path, contents).message(), "");
    auto artifact = std::make_shared<artifact::Artifact>();
    EXPECT_EQ(artifact::Artifact::open(path, *artifact).message(), "");
    Options options;
    options.threads = threads;
    return openEngine(artifact, options, engine).message();
  }
  static std::vector<int32_t> generated(std::shared_ptr<const engine::Engine> engine) {
    std::unique_ptr<session::Session> session;
    EXPECT_EQ(session::Session::create(engine, session).message(), "");
    EXPECT_EQ(session->prefill({6, 6, 6, 6, 6}).message(), "");
    session::Sampling sampling;
    sampling.ignoreEos = true;
    session::Finish finish;
    std::vector<int32_t> ids;
    EXPECT_EQ(session->generate(12, sampling, [&](int32_t id) { ids.push_back(id); return true; }, finish).message(), "");
    return ids;
  }
};

TEST_F(Loading, HighestUsableVariant) {
  setenv("XFMR_CPU_LEVEL", "v2", 1);
  std::shared_ptr<const engine::Engine> engine;
  toy::Contents contents = toy::cpuContents();
  contents.cpuProgram->kernels[0]->variants.pop_back(); // embed has no v2
  EXPECT_EQ(open(contents, engine), "kernel 'embed' needs x86-64-v3 at least, this CPU has x86-64-v2; compile the model "
                                    "with --levels=v2");
  ASSERT_EQ(open(toy::cpuContents(), engine), "");
  EXPECT_NE(engine->report().find(", x86-64-v2, 2 threads\n"), std::string::npos) << engine->report();
  EXPECT_NE(engine->report().find("kernels: 5 for v2, loaded from memory\n"), std::string::npos) << engine->report();
  EXPECT_EQ(engine->threads(), 2u);
}

TEST_F(Loading, CodeOfAnotherArchitecture) {
  toy::Contents contents = toy::cpuContents();
  for (auto &kernel : contents.cpuProgram->kernels) {
    kernel->variants.resize(1);
    kernel->variants[0]->requires_ = {"neon"};
  }
  std::shared_ptr<const engine::Engine> engine;
  EXPECT_EQ(open(contents, engine), "kernel 'embed' is compiled for neon, this CPU is x86-64; compile the model with "
                                    "--triple=x86_64-linux-gnu");
}

TEST_F(Loading, MissingSymbol) {
  toy::Contents contents = toy::cpuContents();
  for (auto &variant : contents.cpuProgram->kernels[1]->variants)
    variant->entry = "append.v9";
  std::shared_ptr<const engine::Engine> engine;
  EXPECT_EQ(open(contents, engine), "'" + path + "': kernel 'append': the symbol 'append.v9' is not in cpu.so");
}

TEST_F(Loading, ThroughAFile) {
  setenv("XFMR_CPU_CODE", "file", 1);
  std::shared_ptr<const engine::Engine> engine;
  ASSERT_EQ(open(toy::cpuContents(), engine), "");
  EXPECT_NE(engine->report().find("loaded from a temporary file\n"), std::string::npos) << engine->report();
  EXPECT_EQ(generated(engine), toy::continuation({6, 6, 6, 6, 6}, 12));
}

TEST_F(Loading, CodeThatIsNoLibrary) {
  toy::Contents contents = toy::cpuContents();
  std::string code = toy::cpuCode();
  for (size_t at = code.find(".dynsym"); at != std::string::npos; at = std::string::npos)
    code.replace(at, 7, "garbage");
  // Every PT_DYNAMIC becomes something the loader does not know.
  for (size_t at = 64; at + 56 < 64 + 56 * static_cast<size_t>(code[56]); at += 56)
    if (code[at] == 2)
      code[at] = 99;
  contents.tensors["cpu.so"] = code;
  std::shared_ptr<const engine::Engine> engine;
  EXPECT_EQ(open(contents, engine).rfind("cannot load the artifact's kernels: ", 0), 0u);
}

// The loader knows a library by its path: a second one must not be taken for the first.
TEST_F(Loading, TwoLibrariesInOneProcess) {
  const std::string code = toy::cpuCode();
  Library a, b;
  ASSERT_EQ(a.load(reinterpret_cast<const uint8_t *>(code.data()), code.size()).message(), "");
  ASSERT_EQ(b.load(reinterpret_cast<const uint8_t *>(code.data()), code.size()).message(), "");
  EXPECT_NE(a.symbol("embed.v2"), nullptr);
  EXPECT_NE(a.symbol("embed.v2"), b.symbol("embed.v2"));
  EXPECT_EQ(a.symbol("nothing.v2"), nullptr);
}

// The session's own buffers, and nothing the size of the weight.
TEST_F(Loading, WeightsStayInTheFile) {
  toy::Contents contents = toy::cpuContents();
  contents.weight.resize(1 << 18, 3.0f);
  contents.cpuProgram->buffers[4]->size = 4 << 18;
  std::shared_ptr<const engine::Engine> engine;
  ASSERT_EQ(open(contents, engine), "");
  std::unique_ptr<session::Session> session;
  ASSERT_EQ(session::Session::create(engine, session).message(), "");
  EXPECT_LT(session->memoryBytes(), 10000u);
  EXPECT_NE(engine->report().find("weights 1 MiB, used where the file is mapped"), std::string::npos);
  EXPECT_EQ(generated(engine), toy::continuation({6, 6, 6, 6, 6}, 12));
}

TEST_F(Loading, SessionLargerThanMemory) {
  toy::Contents contents = toy::cpuContents();
  contents.cpuProgram->buffers[2]->size = uint64_t(1) << 47;
  std::shared_ptr<const engine::Engine> engine;
  ASSERT_EQ(open(contents, engine), "");
  std::unique_ptr<session::Session> session;
  EXPECT_EQ(session::Session::create(engine, session).message(),
            "no memory for a session of at least 140737488359424 bytes; compile with a smaller --max-context");
}

// A grid that the device computes: the first word of the tokens buffer is the number of tiles of embed.
TEST_F(Loading, IndirectGrid) {
  toy::Contents contents = toy::cpuContents();
  auto &embed = *contents.cpuProgram->phases[0]->dispatches[0];
  ASSERT_EQ(embed.label, "embedding");
  embed.indirect_buffer = 1;
  embed.indirect_offset = 0;
  std::shared_ptr<const engine::Engine> engine;
  ASSERT_EQ(open(contents, engine), "");
  std::unique_ptr<session::Session> session;
  ASSERT_EQ(session::Session::create(engine, session).message(), "");
  std::vector<float> logits;
  ASSERT_EQ(session->prefill({2, 1, 1, 7}).message(), ""); // 2 x 1 x 1 tiles: the tokens 2 and 1
  ASSERT_EQ(session->logits(logits).message(), "");
  EXPECT_EQ(logits[2 + 1 + 3], 1.0f);
  session->reset();
  ASSERT_EQ(session->prefill({0, 1, 1, 7}).message(), ""); // none: rows of before stay
  ASSERT_EQ(session->logits(logits).message(), "");
  EXPECT_EQ(logits[2 + 1 + 3], 1.0f);
}

} // namespace
