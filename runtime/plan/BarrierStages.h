// Which barriers of a phase have to do with arguments of indirect dispatches: only those name that stage, so that the others
// do not hold up the reading of arguments.
#pragma once
#include "runtime/artifact/Program_generated.h"
#include <vector>

namespace xfmr::plan {

struct BarrierStages {
  bool afterIndirect = false;  // a dispatch between the barrier before and this one read arguments from a buffer
  bool beforeIndirect = false; // a dispatch between this barrier and the next one does
};

/// One entry a dispatch: the barrier before it. `everywhere`: a barrier stands before every dispatch, else where the
/// program says.
std::vector<BarrierStages> barrierStages(const program::Phase &phase, bool everywhere = false);

} // namespace xfmr::plan
