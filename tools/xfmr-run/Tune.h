// --tune: measures the variants of an artifact's kernels on a Vulkan device, and keeps which was fastest.
#pragma once
#include "runtime/artifact/Status.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// A line a variant that was measured, then where the choice is kept; with --json an object a line.
Status tune(const Options &options);

} // namespace xfmr::run
