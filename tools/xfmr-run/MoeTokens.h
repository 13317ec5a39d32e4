// --moe-tokens: which experts each token of a prompt chose, in every mixture, and how they were weighed.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// A table a prompt, a token a line, the heaviest expert first; with --json an object a prompt.
Status moeTokens(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
