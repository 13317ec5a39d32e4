// See DistanceBuckets.h.
#include "dialect/DistanceBuckets.h"
#include <algorithm>
#include <cmath>

int64_t xfmr::distanceBucket(int64_t distance, int64_t buckets, int64_t maxDistance, bool causal) {
  const int64_t side = causal ? buckets : buckets / 2, exact = side / 2;
  const int64_t first = !causal && distance > 0 ? side : 0;
  const int64_t far = causal ? std::max<int64_t>(-distance, 0) : std::abs(distance);
  if (far < exact)
    return first + far;
  // In f32, as the reference rounds it.
  const float grown = std::log(static_cast<float>(far) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(maxDistance) / static_cast<double>(exact)));
  return first + std::min(side - 1, exact + static_cast<int64_t>(grown * static_cast<float>(side - exact)));
}
