// --chat without -p: a conversation over standard input, a line a turn.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// Until the end of standard input or Ctrl-C. Each answer is one continuation; the whole conversation runs again for every
/// turn, since a template may change what came before.
Status chat(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
