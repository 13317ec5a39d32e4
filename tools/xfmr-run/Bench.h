// Speed of prefill (pp: one prompt of N tokens) and of generation (tg: N tokens after one), in tokens a
// second of wall clock (steady_clock), after one run that warms up.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// `loadSeconds`: what opening the model took.
Status bench(const ModelHandle &model, const Options &options, double loadSeconds);

} // namespace xfmr::run
