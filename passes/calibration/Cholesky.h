// Symmetric positive definite systems on all threads: blocked Cholesky, solves and the inverse, in f64.
#pragma once

#include "passes/calibration/Matrix.h"

namespace xfmr {

class Cholesky {
public:
  /// Of a + ridge I; only the lower triangle of `a` [n, n] is read.
  Cholesky(const MatrixD &a, double ridge);

  /// x with (a + ridge I) x = b, b [n, m].
  MatrixD solve(MatrixD b) const;
  /// L^-1 b.
  MatrixD solveLower(MatrixD b) const;
  /// Symmetric to the last bit.
  MatrixD inverse() const;

private:
  MatrixD lower_; // L with L L^T = a + ridge I; above the diagonal blocks it is undefined
};

} // namespace xfmr
