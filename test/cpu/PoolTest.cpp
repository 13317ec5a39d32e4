// The pool: every chunk once, results visible to the caller, many jobs, callers on several threads, more threads than
// processors, and no time taken when idle. Build with -fsanitize=thread to see races.
#include "runtime/cpu/Pool.h"
#include <chrono>
#include <ctime>
#include <gtest/gtest.h>
#include <immintrin.h>
#include <unistd.h>

using namespace xfmr::cpu;

namespace {

struct Counts {
  std::vector<uint32_t> of; // plain numbers: a chunk that ran twice at once would be a race
  static void add(void *context, uint32_t chunk) { ++static_cast<Counts *>(context)->of[chunk]; }
};

TEST(Pool, EveryChunkOnce) {
  for (uint32_t threads : {1u, 2u, 3u, 8u}) {
    Pool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (uint32_t chunks : {0u, 1u, 2u, 3u, 17u, 1000u}) {
      Counts counts{std::vector<uint32_t>(chunks)};
      for (int round = 0; round < 50; ++round)
        pool.run(chunks, Counts::add, &counts);
      EXPECT_EQ(counts.of, std::vector<uint32_t>(chunks, 50)) << threads << " threads, " << chunks;
    }
  }
}

// Each job reads what the one before wrote.
TEST(Pool, JobsSeeWhatEarlierOnesWrote) {
  struct Chain {
    std::vector<uint64_t> from, to;
    static void step(void *context, uint32_t chunk) {
      auto &chain = *static_cast<Chain *>(context);
      const size_t n = chain.from.size();
      chain.to[chunk] = chain.from[(chunk + 1) % n] + chain.from[(chunk + n - 1) % n] % 1000003;
    }
  };
  auto run = [](uint32_t threads) {
    Pool pool(threads);
    Chain chain{std::vector<uint64_t>(37, 1), std::vector<uint64_t>(37)};
    for (int i = 0; i < 3000; ++i) {
      pool.run(37, Chain::step, &chain);
      std::swap(chain.from, chain.to);
    }
    return chain.from;
  };
  const auto expected = run(1);
  EXPECT_EQ(run(2), expected);
  EXPECT_EQ(run(5), expected);
}

TEST(Pool, SeveralCallers) {
  Pool pool(3);
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      Counts counts{std::vector<uint32_t>(20)};
      for (int round = 0; round < 500; ++round)
        pool.run(20, Counts::add, &counts);
      EXPECT_EQ(counts.of, std::vector<uint32_t>(20, 500));
    });
  for (std::thread &caller : callers)
    caller.join();
}

// A worker asleep in the middle of a chunk holds up only the end of its job.
TEST(Pool, SlowChunk) {
  struct Slow {
    static void run(void *context, uint32_t chunk) {
      if (chunk == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
      static_cast<std::atomic<int> *>(context)->fetch_add(1);
    }
  };
  Pool pool(4);
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> done{0};
    pool.run(40, Slow::run, &done);
    EXPECT_EQ(done.load(), 40);
  }
}

// A program that flushes small numbers to zero gets the same bits, whoever runs the chunk, and keeps its setting.
TEST(Pool, SmallNumbersAreKept) {
  struct Halve {
    static void run(void *context, uint32_t chunk) {
      volatile float small = 1.5e-38f;
      static_cast<std::vector<float> *>(context)->at(chunk) = small / 2;
    }
  };
  const unsigned before = _mm_getcsr();
  for (uint32_t threads : {1u, 3u}) {
    Pool pool(threads);
    std::vector<float> values(64);
    _mm_setcsr(before | 0x8040); // flush to zero, denormals are zero
    pool.run(64, Halve::run, &values);
    EXPECT_EQ(_mm_getcsr() & 0x8040, 0x8040u);
    _mm_setcsr(before);
    for (float value : values)
      EXPECT_EQ(value, 0.75e-38f);
  }
}

TEST(Pool, SleepsWhenIdle) {
  Pool pool(4);
  Counts counts{std::vector<uint32_t>(100)};
  pool.run(100, Counts::add, &counts);
  std::this_thread::sleep_for(std::chrono::milliseconds(20)); // the end of spinning
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, 0.02) << "of processor time in 0.2 s";
}

} // namespace
