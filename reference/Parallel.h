// Loops over independent pieces of work, on all cores when that pays. Results never depend on the
// number of threads: every piece writes its own part.
#pragma once
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>

namespace xfmr::reference {

/// Calls `body(begin, end)` on disjoint ranges that cover [0, count). `work` is the number of
/// multiply-adds of the whole loop; small loops run on the calling thread.
void parallelRanges(int64_t count, double work, llvm::function_ref<void(int64_t, int64_t)> body);

} // namespace xfmr::reference
