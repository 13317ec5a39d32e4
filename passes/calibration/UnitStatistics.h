// What scores need to know of the inputs of one output or down projection, summed over a calibration text, and the scores.
#pragma once

#include "passes/PruneOptions.h"
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

/// One score a channel: the larger, the rather it stays. `weight` is the projection that reads them, [D, F].
///   magnitude |W_j|_2, activation the L2 norm over windows of mean |x_j| (Muralidharan et al. 2024), wanda-sp and fasp
///   mean_i |W_ij| |x_j|_2 (An et al. 2024; Hu et al. 2025), flap Var(x_j) |W_j|_2^2 (An et al. 2024).
llvm::SmallVector<double> channelScores(UnitMethod method, const UnitStatistics &statistics, const MatrixF &weight);

/// The same for units of `heads` heads of `headDim` columns: magnitude and activation by norms over the whole unit,
/// wanda-sp sums its channels, flap means their squares.
llvm::SmallVector<double> headScores(UnitMethod method, const UnitStatistics &statistics, const MatrixF &weight,
                                     int64_t headDim, int64_t heads);

} // namespace xfmr
