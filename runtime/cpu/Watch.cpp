// Sums over chunks; see Watch.h.
#include "runtime/cpu/Watch.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::cpu;

uint32_t Watch::numberOf(std::thread::id thread) {
  const auto found = std::find(threads_.begin(), threads_.end(), thread);
  const auto number = static_cast<uint32_t>(found - threads_.begin());
  if (found == threads_.end())
    threads_.push_back(thread);
  return number;
}

void Watch::segment(uint32_t run, uint32_t phase, size_t count, uint32_t first,
                    const std::function<void(std::vector<ChunkTime> &)> &work) {
  times_.clear();
  const double begin = secondsOf(std::chrono::steady_clock::now());
  work(times_);
  const double end = secondsOf(std::chrono::steady_clock::now());
  double busy = 0;
  for (const ChunkTime &time : times_)
    busy += time.seconds;
  for (uint32_t dispatch = first; dispatch < first + count; ++dispatch) {
    engine::Ran ran = {run, phase, dispatch, end, begin, 0, {}};
    for (const ChunkTime &time : times_) {
      if (time.dispatch != dispatch)
        continue;
      const double last = time.begin + time.seconds;
      ran.begin = std::min(ran.begin, time.begin);
      ran.end = std::max(ran.end, last);
      ran.seconds += busy > 0 ? time.seconds / busy * (end - begin) : 0;
      const uint32_t thread = numberOf(time.thread);
      auto part = std::find_if(ran.parts.begin(), ran.parts.end(), [&](const auto &p) { return p.thread == thread; });
      if (part == ran.parts.end())
        part = ran.parts.insert(ran.parts.end(), {thread, time.begin, last});
      part->begin = std::min(part->begin, time.begin);
      part->end = std::max(part->end, last);
    }
    if (ran.parts.empty()) // no tile of it had anything to do
      ran.begin = ran.end = begin;
    onRan_(ran);
  }
}
