// What others print on standard error while something runs: LLVM's option parser prints where it should return.
#pragma once
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>

namespace xfmr {

/// Runs `work`; what was printed meanwhile is returned, not shown. No other thread may print.
std::string standardErrorOf(llvm::function_ref<void()> work);

} // namespace xfmr
