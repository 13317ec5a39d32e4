// Checks a finished program's barriers by its own reasoning: it shares no code with Barriers.cpp, reads
// the accesses from the program as the runtime will carry it out, and looks at every pair of
// dispatches that no barrier separates. Validation layers miss in-place hazards, and software drivers
// never show one; this finds them.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include "runtime/artifact/Status.h"

namespace xfmr::plan {

/// Fails with the first pair that needs a barrier between it and has none, by phase, dispatch numbers,
/// labels, kind of hazard, buffer and bytes. The program must have passed artifact validation (indices in
/// range). Phases are separated by the runtime and not compared with each other.
Status verifyHazards(const program::Program &program);

} // namespace xfmr::plan
