// How many dispatches and barriers a phase makes, and how many of them a layer: what a token costs beside its arithmetic.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include <string>

namespace xfmr::plan {

/// One line a phase, e.g. "vulkan decode: 31 dispatches, 30 barriers; a layer 7 and 7 (4 layers)", "a layer 6 to 8 and
/// 6 to 8" if layers differ. Dispatches belong to the layer that their label names ("block 3 attention").
std::string describeCounts(const program::Program &program);

} // namespace xfmr::plan
