// Timing loops and reads on several threads at once; see Roofline.h.
#include "runtime/roofline/Roofline.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <numeric>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

using namespace xfmr::roofline;
using Clock = std::chrono::steady_clock;

namespace {

/// Runs work(thread) on `threads` threads that start together; seconds until the last is done.
double timed(uint32_t threads, const std::function<void(uint32_t)> &work) {
  std::atomic<uint32_t> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> others;
  for (uint32_t t = 1; t < threads; ++t)
    others.emplace_back([&, t] {
      ready.fetch_add(1);
      while (!go.load(std::memory_order_acquire))
        std::this_thread::yield();
      work(t);
    });
  while (ready.load() + 1 < threads)
    std::this_thread::yield();
  const auto start = Clock::now();
  go.store(true, std::memory_order_release);
  work(0);
  for (std::thread &other : others)
    other.join();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The least time of some tries, which end after `seconds`; one at least.
double best(double seconds, uint32_t threads, const std::function<void(uint32_t)> &work) {
  double least = timed(threads, work), spent = least;
  while (spent < seconds) {
    const double time = timed(threads, work);
    spent += time;
    least = std::min(least, time);
  }
  return least;
}

/// Memory that is there, in large pages where the system has them.
class Bytes {
public:
  explicit Bytes(uint64_t wanted) : size_(wanted) {
    data_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data_ != MAP_FAILED)
      madvise(data_, size_, MADV_HUGEPAGE);
  }
  ~Bytes() {
    if (data_ != MAP_FAILED)
      munmap(data_, size_);
  }
  Bytes(const Bytes &) = delete;
  Bytes &operator=(const Bytes &) = delete;
  char *data() const { return data_ == MAP_FAILED ? nullptr : static_cast<char *>(data_); }

private:
  void *data_;
  uint64_t size_;
};

// A thread's part is a whole number of large pages, so that each lies where its thread put it.
constexpr uint64_t kPart = uint64_t(2) << 20;

uint64_t bytesToRead(const Options &options) {
  uint64_t bytes = options.bytes ? options.bytes : std::max(uint64_t(128) << 20, 2 * lastCaches());
  // Half of what is free at most: somebody may be about to load a model.
  const uint64_t free = static_cast<uint64_t>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  bytes = std::min(bytes, std::max(free / 2, kPart));
  const uint64_t unit = kPart * options.threads;
  return std::max(bytes / unit, uint64_t(1)) * unit;
}

std::vector<uint32_t> threadCounts(uint32_t most) {
  std::vector<uint32_t> counts;
  for (uint32_t n = 1; n < most; n *= 2)
    counts.push_back(n);
  counts.push_back(most);
  return counts;
}

void measureReading(const Options &options, Roofline &out) {
  out.bytes = bytesToRead(options);
  Bytes memory(out.bytes);
  if (!memory.data()) {
    out.bytes = 0;
    return;
  }
  const uint64_t part = out.bytes / options.threads;
  timed(options.threads, [&](uint32_t thread) {
    auto *words = reinterpret_cast<uint64_t *>(memory.data() + thread * part);
    for (uint64_t i = 0; i < part / 8; i += 8)
      words[i] = i;
  });
  static std::atomic<uint64_t> sink;
  for (uint32_t threads : threadCounts(options.threads)) {
    const uint64_t each = out.bytes / threads / 256 * 256;
    const double seconds = best(options.seconds * 4, threads, [&](uint32_t thread) {
      sink.fetch_xor(readAll(memory.data() + thread * each, each), std::memory_order_relaxed);
    });
    out.bandwidth.push_back({threads, static_cast<double>(each * threads) / seconds});
  }
}

/// Operations a second of `threads` threads at once. A try is short, so that on a busy machine some are left alone; each thread
/// keeps its own best, since they share nothing but the heat.
double rate(const Loop &loop, uint32_t threads, uint64_t rounds, double seconds) {
  std::vector<double> rates(threads);
  timed(threads, [&](uint32_t thread) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
      const auto start = Clock::now();
      const double operations = loop.run(rounds);
      rates[thread] = std::max(rates[thread], operations / std::chrono::duration<double>(Clock::now() - start).count());
    } while (Clock::now() < end);
  });
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

Peak measurePeak(const Options &options, const Loop &loop) {
  // Rounds for a try, by a run that also wakes wide units up.
  uint64_t rounds = 4096;
  while (timed(1, [&](uint32_t) { loop.run(rounds); }) < std::min(options.seconds, 0.02) / 64)
    rounds *= 2;
  const double one = rate(loop, 1, rounds, options.seconds);
  return {&loop, one, options.threads > 1 ? rate(loop, options.threads, rounds, options.seconds) : one};
}

} // namespace

double Roofline::bytesPerSecond() const {
  double most = 0;
  for (const Bandwidth &entry : bandwidth)
    most = std::max(most, entry.bytesPerSecond);
  return most;
}

double Roofline::operationsPerSecond(Operands operands, int level) const {
  double most = 0;
  for (const Peak &peak : peaks)
    if ((peak.loop->operands == operands || peak.loop->operands == Operands::f32) && peak.loop->level <= level)
      most = std::max(most, peak.allThreads);
  return most;
}

Roofline xfmr::roofline::measure(const Options &given) {
  Options options = given;
  options.threads = std::clamp(options.threads, 1u, 1024u);
  Roofline out;
  out.threads = options.threads;
  measureReading(options, out);
  for (const Loop &loop : loops())
    if (loop.runs && loop.level <= options.level)
      out.peaks.push_back(measurePeak(options, loop));
  return out;
}
