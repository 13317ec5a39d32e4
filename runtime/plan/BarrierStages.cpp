// Indirect dispatches on both sides of each barrier; see BarrierStages.h.
#include "runtime/plan/BarrierStages.h"

std::vector<xfmr::plan::BarrierStages> xfmr::plan::barrierStages(const program::Phase &phase, bool everywhere) {
  const auto &dispatches = *phase.dispatches();
  std::vector<BarrierStages> stages(dispatches.size());
  bool before = false; // of the segment that the next barrier ends
  uint32_t barrier = dispatches.size(); // the last one met: none yet
  for (uint32_t i = 0; i < dispatches.size(); ++i) {
    if (everywhere || dispatches.Get(i)->barrier()) {
      stages[i].afterIndirect = before;
      before = false;
      barrier = i;
    }
    if (dispatches.Get(i)->indirect_buffer() < 0)
      continue;
    before = true;
    if (barrier < dispatches.size())
      stages[barrier].beforeIndirect = true;
  }
  return stages;
}
