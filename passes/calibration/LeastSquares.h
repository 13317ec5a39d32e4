// Which columns of a linear map to keep, and what the kept ones should be: greedy optimal brain surgery and ridge least
// squares on Gram matrices. Formulas: Hassibi and Stork 1993 (the cost of a column and of a set), Hoerl and Kennard
// 1970. Pure functions of plain matrices, f64.
#pragma once

#include "passes/calibration/Matrix.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace xfmr {

/// Sums over tokens of a map's inputs x [f] and wanted outputs t [d].
struct NormalEquations {
  MatrixD gram;  // sum x x^T, [f, f]
  MatrixD cross; // sum t x^T, [d, f]

  NormalEquations() = default;
  NormalEquations(int64_t inputs, int64_t outputs)
      : gram(MatrixD::Zero(inputs, inputs)), cross(MatrixD::Zero(outputs, inputs)) {}
  /// One row a token: x [N, f], t [N, d].
  void add(const MatrixF &x, const MatrixF &t);
  /// Also sum |t|^2, for fitError.
  double targetSquares = 0;
};

/// share * mean of the Gram's diagonal: the ridge.
double damping(const MatrixD &gram, double share);

/// The map [d, kept] of columns `kept` with the least sum |W x_K - t|^2 + ridge |W - W0_K|^2, W0 = `prior` [d, f] or zero
/// (null).
MatrixD fitColumns(const NormalEquations &sums, llvm::ArrayRef<int64_t> kept, double ridge, const MatrixD *prior);

/// Sum over tokens of |W x_K - t|^2 of that map.
double fitError(const NormalEquations &sums, llvm::ArrayRef<int64_t> kept, const MatrixD &weight);

/// Columns, ascending, that greedy surgery keeps: as often as needed the `block` columns of least cost |W_j|^2 / [H^-1]_jj
/// go (the last time fewer), then W is fitted again. The f columns form `sets` equal consecutive sets that each keep as
/// many columns and lose as many at a time. One list for each number of `keeps`, which fall. Ties go to the lower column.
llvm::SmallVector<llvm::SmallVector<int64_t>> keepColumns(const NormalEquations &sums, llvm::ArrayRef<int64_t> keeps,
                                                          int64_t block, int64_t sets, double ridge,
                                                          const MatrixD *prior);

/// Units of `width` columns each; unit u is columns u*width .. . Removes the unit of least cost tr(W_S ([H^-1]_SS)^-1 W_S^T)
/// until as many are left in each of `groups` equal consecutive groups of units. The kept units, ascending, for each number
/// of `keeps`, which fall.
llvm::SmallVector<llvm::SmallVector<int64_t>> keepUnits(const NormalEquations &sums, int64_t width, int64_t groups,
                                                        llvm::ArrayRef<int64_t> keeps, double ridge,
                                                        const MatrixD *prior);

/// The `keep` largest scores as indices, ascending; ties go to the lower index.
llvm::SmallVector<int64_t> keepLargest(llvm::ArrayRef<double> scores, int64_t keep);

} // namespace xfmr
