// The windows of a text that perplexity and comparison score: the text encoded once without BOS, cut
// into consecutive runs of window - 1 tokens, the last partial run dropped; a window is BOS and one run.
#pragma once
#include "tools/xfmr-compare/Side.h"

namespace xfmr::compare {

/// Errors: fewer ids than one run.
Status cutWindows(const std::vector<int32_t> &ids, int32_t bos, int64_t window,
                  std::vector<std::vector<int32_t>> &out);

/// Reads the text and encodes it with A's tokenizer, or with B's if A has none. Errors: vocabularies that
/// differ, a window longer than a model's context, no tokenizer, no begin token, a text too short.
Status readWindows(const Side &a, const Side &b, const std::string &textPath, int64_t window,
                   std::vector<std::vector<int32_t>> &out);

} // namespace xfmr::compare
