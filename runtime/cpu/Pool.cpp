// Tickets, spinning and futexes; see Pool.h.
#include "runtime/cpu/Pool.h"
#include "runtime/cpu/Machine.h"
#include <algorithm>
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace xfmr::cpu;

namespace {

// A pause is about 40 to 140 cycles: 20 to 70 microseconds, longer than the host needs between two dispatches.
constexpr int kSpins = 1500;

void sleepWhile(std::atomic<uint32_t> &word, uint32_t value) {
  static_assert(sizeof word == 4, "a futex is a 32-bit word");
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void wake(std::atomic<uint32_t> &word, uint32_t most) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, static_cast<int>(std::min<uint32_t>(most, INT_MAX)), nullptr, nullptr, 0);
}

} // namespace

Pool::Pool(uint32_t threads) {
  for (uint32_t i = 1; i < threads; ++i)
    workers_.emplace_back([this] { work(); });
}

Pool::~Pool() {
  stop_.store(true);
  generation_.fetch_add(1);
  wake(generation_, UINT32_MAX);
  for (std::thread &worker : workers_)
    worker.join();
}

bool Pool::runOne(uint32_t generation) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  do {
    if (ticket >> 32 != generation || static_cast<uint32_t>(ticket) == 0)
      return false;
  } while (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire));
  function_(context_, static_cast<uint32_t>(ticket) - 1);
  if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1 && callerSleeps_.load())
    wake(left_, 1);
  return true;
}

void Pool::work() {
  DefaultRounding rounding;
  uint32_t seen = 0;
  for (;;) {
    uint32_t now = generation_.load(std::memory_order_acquire);
    for (int i = 0; i < kSpins && now == seen; ++i) {
      pause();
      now = generation_.load(std::memory_order_acquire);
    }
    while (now == seen) {
      sleepers_.fetch_add(1);
      sleepWhile(generation_, seen);
      sleepers_.fetch_sub(1);
      now = generation_.load(std::memory_order_acquire);
    }
    if (stop_.load())
      return;
    seen = now;
    while (runOne(seen)) {
    }
  }
}

void Pool::run(uint32_t chunks, Run function, void *context) {
  if (chunks == 0)
    return;
  DefaultRounding rounding;
  std::unique_lock<std::mutex> mine(busy_, std::defer_lock);
  if (workers_.empty() || chunks == 1 || !mine.try_lock()) {
    for (uint32_t chunk = 0; chunk < chunks; ++chunk)
      function(context, chunk);
    return;
  }
  function_ = function;
  context_ = context;
  left_.store(chunks, std::memory_order_relaxed);
  const uint32_t generation = generation_.load(std::memory_order_relaxed) + 1;
  ticket_.store(uint64_t(generation) << 32 | chunks, std::memory_order_release);
  generation_.store(generation); // seq_cst, as sleepers_: a worker either sees it or is counted as asleep
  if (sleepers_.load())
    wake(generation_, chunks - 1);
  while (runOne(generation)) {
  }
  // Others are in the middle of their last chunks.
  uint32_t left = left_.load(std::memory_order_acquire);
  for (int i = 0; i < kSpins && left; ++i) {
    pause();
    left = left_.load(std::memory_order_acquire);
  }
  while (left) {
    callerSleeps_.store(true);
    left = left_.load();
    if (left)
      sleepWhile(left_, left);
    callerSleeps_.store(false);
    left = left_.load(std::memory_order_acquire);
  }
}
