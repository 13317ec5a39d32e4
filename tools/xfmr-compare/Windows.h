// The windows of a text that perplexity and comparison score: the text encoded once without BOS, cut
// into consecutive runs of window - 1 tokens, the last partial run dropped; a window is BOS and one run.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <vector>

namespace xfmr::compare {

/// Errors: fewer ids than one run.
Status cutWindows(const std::vector<int32_t> &ids, int32_t bos, int64_t window,
                  std::vector<std::vector<int32_t>> &out);

} // namespace xfmr::compare
