// Optimal brain surgery in progress (Hassibi and Stork 1993): the fit of the columns that are left, and the inverse of their
// damped Gram matrix, both brought up to date when columns go instead of solved again.
#pragma once

#include "passes/calibration/LeastSquares.h"

namespace xfmr {

class Surgery {
public:
  /// With all columns of `sums`; `ridge` and `prior` as for fitColumns.
  Surgery(const NormalEquations &sums, double ridge, const MatrixD *prior);

  /// What removing the column at a position among those left costs: |W_j|^2 / [H^-1]_jj.
  double cost(int64_t position) const;
  /// The same of `width` columns side by side: tr(W_S ([H^-1]_SS)^-1 W_S^T).
  double costOfRun(int64_t position, int64_t width) const;

  /// Removes the columns at these positions, ascending, and fits what is left:
  /// W_R - W_S ([H^-1]_SS)^-1 [H^-1]_SR and [H^-1]_RR - [H^-1]_RS ([H^-1]_SS)^-1 [H^-1]_SR.
  void remove(llvm::ArrayRef<int64_t> positions);
  /// The columns that would be left, ascending.
  llvm::SmallVector<int64_t> without(llvm::ArrayRef<int64_t> positions) const;

private:
  llvm::SmallVector<int64_t> kept_; // columns of the sums, ascending
  MatrixD inverse_;                 // [kept, kept]
  MatrixD weight_;                  // [d, kept]
};

/// Columns of a matrix, and rows and columns of a square one.
MatrixD columnsAt(const MatrixD &matrix, llvm::ArrayRef<int64_t> columns);
MatrixD squareAt(const MatrixD &matrix, llvm::ArrayRef<int64_t> indices);

} // namespace xfmr
