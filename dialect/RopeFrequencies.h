// Angles of rotary embeddings: one frequency a rotated pair, in f64. What every consumer of xfmr.rope but the witness reads.
#pragma once

#include "dialect/Xfmr.h"
#include <vector>

namespace xfmr {

/// Frequencies f_i = theta^(-2i/n), i < n/2, changed by the scaling; and the factor on cos and sin.
/// Formulas: the rope types of Hugging Face's modeling_rope_utils.
struct RopeFrequencies {
  std::vector<double> frequencies;
  double attentionFactor = 1.0;
  PositionGrowthAttr growth; // null: the factor is the same everywhere
  /// The factor at a position.
  double factorAt(int64_t position) const { return growth ? positionGrowth(growth, position) : attentionFactor; }
  static double positionGrowth(PositionGrowthAttr growth, int64_t position);
};
RopeFrequencies ropeFrequencies(int64_t rotaryDim, double theta, mlir::Attribute scaling);

} // namespace xfmr
