// Rotary tables: frequencies and their cos/sin for every position, in f64, rounded once to f32.
#pragma once
#include "dialect/Xfmr.h"
#include <vector>

namespace xfmr {

/// Frequencies f_i = theta^(-2i/n), i < n/2, changed by the scaling; and the factor on cos and sin.
/// Formulas: the rope types of Hugging Face's modeling_rope_utils.
struct RopeFrequencies {
  std::vector<double> frequencies;
  double attentionFactor = 1.0;
};
RopeFrequencies ropeFrequencies(int64_t rotaryDim, double theta, mlir::Attribute scaling);

/// Rows [begin, end) of a rope_table, each paddedWidth(rotary_dim) floats.
void fillRopeTable(const RopeFrequencies &rope, int64_t begin, int64_t end, float *out);

} // namespace xfmr
