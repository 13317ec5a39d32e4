// Buckets of biases by distance (Raffel et al. 2020, section 2.1; Hugging Face's modeling_t5).
#pragma once
#include <cstdint>

namespace xfmr {

/// The bucket of a key `distance` positions behind (negative) or in front of its query, of `buckets`. Of those on one side (all if
/// `causal`, else half, the first half for earlier keys) half have one distance each, from 0 on; the others grow with the
/// logarithm up to `maxDistance`, and the last holds all beyond. Causal: later keys are in bucket 0.
int64_t distanceBucket(int64_t distance, int64_t buckets, int64_t maxDistance, bool causal);

} // namespace xfmr
