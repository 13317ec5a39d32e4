// The windows of a text that perplexity scores and a teacher runs: the text encoded once without BOS, cut into consecutive runs of
// window - 1 tokens, the last partial run dropped; a window is BOS and one run.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// Appends the windows of a text file. Errors: no begin token, windows that exceed the context, a text shorter than one.
Status appendWindows(const ModelHandle &model, const Options &options, const std::string &path,
                     std::vector<std::vector<int32_t>> &windows);

} // namespace xfmr::run
