// What the benchmarks measure with: CPU time of this process, and medians.
#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

namespace xfmr::bench {

/// Seconds of CPU time that this process has used, all threads together.
inline double cpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

/// The upper median of at least one value.
inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

} // namespace xfmr::bench
