// --self-test: every kernel of an artifact on a Vulkan device, against the values it holds.
#pragma once
#include "runtime/artifact/Status.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// A line a variant that was run, then a sum; with --json an object a line. Fails if a kernel has no variant that is right.
Status selfTest(const Options &options);

} // namespace xfmr::run
