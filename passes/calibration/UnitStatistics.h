// What scores need to know of the inputs of one output or down projection, summed over a calibration text.
#pragma once

#include "passes/calibration/LeastSquares.h"

namespace xfmr {

struct UnitStatistics {
  int64_t tokens = 0;
  VectorD sum, squares; // [F], of x and x^2
  VectorD windowMeans;  // [F], sum over windows of (mean over the window of |x|)^2
  VectorD headNorms;    // [H], sum over windows of (mean over the window of |x_head|_2)^2
  VectorD groupNorms;   // [K], the same of whole groups of heads
  MatrixD gram;         // [F, F], sum x x^T; empty unless asked for
  double gatedNorms = 0; // of an expert: sum over its tokens of gate * |output|_2

  /// Adds x [N, F], N a multiple of `window`. `headDim` and `groupSize` are 0 for a feed-forward network.
  void add(const MatrixF &x, int64_t window, int64_t headDim, int64_t groupSize, bool withGram);

  VectorD mean() const { return sum / static_cast<double>(tokens); }
  /// With tokens - 1 as divisor.
  VectorD variance() const;
};

} // namespace xfmr
