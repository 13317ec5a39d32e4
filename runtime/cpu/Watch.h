// What somebody who watches a session on the CPU is told: from the time of each chunk of a segment to the dispatches that ran.
#pragma once
#include "runtime/engine/Engine.h"
#include <chrono>
#include <thread>

namespace xfmr::cpu {

inline double secondsOf(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// One chunk of tiles: of which dispatch of the phase, who did it and when.
struct ChunkTime {
  uint32_t dispatch;
  std::thread::id thread;
  double begin, seconds;
};

class Watch {
public:
  /// Thread 0 is the one that makes it.
  explicit Watch(engine::OnRan onRan) : onRan_(std::move(onRan)), threads_{std::this_thread::get_id()} {}

  /// Calls `work`, which runs the dispatches first … first + count - 1 of a phase side by side and says when each of their
  /// chunks ran, and tells of them. `run` and `phase` as in engine::Ran.
  void segment(uint32_t run, uint32_t phase, size_t count, uint32_t first,
               const std::function<void(std::vector<ChunkTime> &)> &work);

private:
  uint32_t numberOf(std::thread::id thread);

  engine::OnRan onRan_;
  std::vector<std::thread::id> threads_; // as they appeared
  std::vector<ChunkTime> times_;
};

} // namespace xfmr::cpu
