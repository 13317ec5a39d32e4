// --list-devices: what --device may name, and what each offers.
#pragma once
#include "runtime/artifact/Status.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// A line a device, or a JSON array; with an artifact whether each can run it.
Status listDevices(const Options &options);

} // namespace xfmr::run
