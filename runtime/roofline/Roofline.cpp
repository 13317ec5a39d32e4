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

// More than the last caches hold; where a virtual machine does not say what they do, as much as the largest ones are.
constexpr uint64_t kLeastRead = uint64_t(128) << 20, kReadUnknown = uint64_t(512) << 20;

uint64_t bytesToRead(const Options &options) {
  const uint64_t caches = lastCaches();
  uint64_t bytes = options.bytes ? options.bytes : caches ? std::max(kLeastRead, 2 * caches) : kReadUnknown;
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

// What is read between two looks at the clock, and the time that a rate is taken over: about that of going through all of the
// memory once, so that what a cache may have kept of it does not count alone.
constexpr uint64_t kPiece = uint64_t(1) << 20;
double windowFor(uint64_t bytes) {
  return 4e-3 * std::max(1.0, static_cast<double>(bytes) / kLeastRead);
}

/// Bytes a second of `threads` threads that go through the memory round and round: those of the best window of time. On a busy
/// machine there are some in which every thread has a core; the time from begin to end would say nothing.
double readingRate(const char *memory, uint64_t bytes, uint32_t threads, double seconds) {
  const uint64_t pieces = std::max<uint64_t>(bytes / threads / kPiece, 1);
  const double window = windowFor(bytes);
  const auto start = Clock::now();
  auto now = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  std::vector<std::vector<double>> done(threads); // when a thread began, and when each piece was read
  static std::atomic<uint64_t> sink;
  timed(threads, [&](uint32_t thread) {
    done[thread].reserve(static_cast<size_t>(seconds * 1e6));
    done[thread].push_back(now());
    uint64_t sum = 0;
    for (uint64_t i = 0; done[thread].back() - done[thread].front() < std::max(seconds, window); ++i) {
      sum ^= readAll(memory + (thread * pieces + i % pieces) * kPiece, kPiece);
      done[thread].push_back(now());
    }
    sink.fetch_xor(sum, std::memory_order_relaxed);
  });
  // Pieces that a thread had read by a time, a part of one included.
  auto readBy = [](const std::vector<double> &times, double time) {
    const auto after = std::upper_bound(times.begin(), times.end(), time);
    if (after == times.begin() || after == times.end())
      return after == times.begin() ? 0.0 : static_cast<double>(times.size() - 1);
    return static_cast<double>(after - times.begin()) - 1 + (time - after[-1]) / (after[0] - after[-1]);
  };
  double most = 0, last = 0;
  for (const auto &times : done)
    last = std::max(last, times.back());
  for (double begin = 0; begin + window <= last; begin += window / 8) {
    double read = 0;
    for (const auto &times : done)
      read += readBy(times, begin + window) - readBy(times, begin);
    most = std::max(most, read);
  }
  return most * static_cast<double>(kPiece) / window;
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
  for (uint32_t threads : threadCounts(options.threads))
    out.bandwidth.push_back({threads, readingRate(memory.data(), out.bytes, threads, options.seconds * 4)});
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

const char *xfmr::roofline::name(Operands operands) {
  return operands == Operands::f32 ? "f32" : operands == Operands::bf16 ? "bf16" : "int8";
}

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
