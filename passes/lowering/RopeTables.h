// Rotary tables: cos and sin for every position, in f64, rounded once to f32.
#pragma once
#include "dialect/RopeFrequencies.h"

namespace xfmr {

/// Rows [begin, end) of a rope_table, each paddedWidth(rotary_dim) floats.
void fillRopeTable(const RopeFrequencies &rope, int64_t begin, int64_t end, float *out);

} // namespace xfmr
