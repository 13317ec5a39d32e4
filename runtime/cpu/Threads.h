// How many threads to work with.
#pragma once
#include <cstdint>

namespace xfmr::cpu {

/// Physical cores among the processors that this process may run on; at least 1. Two threads of one core share its
/// arithmetic, so more threads than cores gain nothing.
uint32_t allowedCores();

} // namespace xfmr::cpu
