// Generation from the command line: prompt in, text or ids out as they appear.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// Runs the prompt, writes its logits if asked for, and streams the continuation to stdout.
Status generate(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
