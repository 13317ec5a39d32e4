// See Parallel.h.
#include "reference/Parallel.h"
#include <algorithm>
#include <thread>
#include <vector>

namespace xfmr::reference {

void parallelRanges(int64_t count, double work, llvm::function_ref<void(int64_t, int64_t)> body) {
  constexpr double kWorkPerThread = 2e6; // about a millisecond: well above the cost of a thread
  const double wanted = std::min(work / kWorkPerThread, static_cast<double>(count));
  const int64_t threads = std::min<int64_t>(std::max(1u, std::thread::hardware_concurrency()),
                                            static_cast<int64_t>(wanted));
  if (threads <= 1)
    return body(0, count);
  std::vector<std::thread> pool;
  for (int64_t i = 1; i < threads; ++i)
    pool.emplace_back([=] { body(count * i / threads, count * (i + 1) / threads); });
  body(0, count / threads);
  for (std::thread &thread : pool)
    thread.join();
}

} // namespace xfmr::reference
