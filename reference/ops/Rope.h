// xfmr.rope: rotary position embedding, with the scaled frequencies of Hugging Face's `rope_type`s.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

struct RopeFrequencies {
  std::vector<double> f;   // [n/2], radians a position
  double amplitude = 1.0;  // factor of cos and sin
};

/// f_i = theta^(-2i/n), i = 0 .. n/2-1, changed by `scaling` (null, or one of the rope attributes):
/// - linear: f / factor.
/// - llama3 with wavelength w = 2 pi / f and C = original_max_position: w < C/high unchanged; w > C/low
///   f / factor; else (1 - s) f / factor + s f, s = (C/w - low) / (high - low).
/// - yarn: dim(r) = n ln(C / (2 pi r)) / (2 ln theta); low = dim(beta_fast), high = dim(beta_slow),
///   floored and ceiled when `truncate`, clamped to [0, n-1]; ramp g = clamp((i - low)/(high - low), 0, 1)
///   with high + 0.001 when equal; f (1 - g) + f / factor g. Amplitude attention_factor.
/// - divisor: f_i / divisors[i]. Amplitude attention_factor.
RopeFrequencies ropeFrequencies(int64_t n, double theta, mlir::Attribute scaling);

/// Rotates the first n = 2 |f| entries of every head; row t is at position firstPosition + t. Pairs
/// (a, b) become amplitude * (a cos - b sin, a sin + b cos) of the angle position * f_i; the pair i is
/// (i, i + n/2) for `half`, (2i, 2i + 1) for `interleaved`. x and y [T, H * headDim].
Tensor rope(const Tensor &x, RopeStyle style, int64_t headDim, const RopeFrequencies &frequencies,
            int64_t firstPosition);

Status evaluate(RopeOp op, Evaluation &evaluation);

} // namespace xfmr::reference
