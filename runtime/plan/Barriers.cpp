// Greedy barrier placement; see Barriers.h for why greedy is least.
#include "runtime/plan/Barriers.h"
#include <algorithm>

using namespace xfmr::plan;

static bool overlaps(const std::vector<ByteRange> &a, const std::vector<ByteRange> &b) {
  return std::any_of(a.begin(), a.end(), [&](const ByteRange &x) {
    return std::any_of(b.begin(), b.end(), [&](const ByteRange &y) {
      return x.buffer == y.buffer && x.begin < y.end && y.begin < x.end;
    });
  });
}

std::vector<bool> xfmr::plan::deriveBarriers(const std::vector<DispatchAccess> &dispatches) {
  std::vector<bool> before(dispatches.size(), false);
  DispatchAccess pending; // everything touched since the last barrier
  for (size_t i = 0; i < dispatches.size(); ++i) {
    const DispatchAccess &now = dispatches[i];
    if (overlaps(pending.writes, now.reads) || overlaps(pending.reads, now.writes) ||
        overlaps(pending.writes, now.writes)) {
      before[i] = true;
      pending = {};
    }
    pending.reads.insert(pending.reads.end(), now.reads.begin(), now.reads.end());
    pending.writes.insert(pending.writes.end(), now.writes.begin(), now.writes.end());
  }
  return before;
}
