// Threads that share the chunks of a job. Whoever is free takes the next chunk; a job is done when its chunks are, so a worker
// that the system has put aside, or that has not woken yet, holds nobody up unless it is in the middle of a chunk. Workers
// spin for some microseconds after a job, then sleep: an idle pool takes no time.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace xfmr::cpu {

class Pool {
public:
  /// What a job does for chunk `chunk`; must not throw.
  using Run = void (*)(void *context, uint32_t chunk);

  /// `threads` counts the caller of run().
  explicit Pool(uint32_t threads);
  ~Pool();
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

  uint32_t threads() const { return static_cast<uint32_t>(workers_.size()) + 1; }

  /// Runs chunks 0 … chunks - 1 and returns when all are done; what they wrote is visible then. The caller works too. If
  /// another thread is in run(), the caller does all the chunks itself: nobody waits for somebody else's job.
  void run(uint32_t chunks, Run function, void *context);

private:
  bool runOne(uint32_t generation);
  void work();

  std::vector<std::thread> workers_;
  std::mutex busy_; // one job at a time

  // The job. A chunk is taken by counting the low half of ticket_ down; the high half is the generation of the job, so
  // that a late worker cannot take a chunk of a job it has not seen. The fields below are read only with a chunk in hand.
  alignas(64) std::atomic<uint64_t> ticket_{0};
  Run function_ = nullptr;
  void *context_ = nullptr;
  alignas(64) std::atomic<uint32_t> left_{0};       // chunks of the job that are not done
  alignas(64) std::atomic<uint32_t> generation_{0}; // what workers wait for
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<bool> callerSleeps_{false}, stop_{false};
};

} // namespace xfmr::cpu
