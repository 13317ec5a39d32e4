// Products of whole batches on all threads, tile by tile (Parallel.h).
#pragma once

#include "passes/calibration/Matrix.h"

namespace xfmr {

/// y = x w^T: x [N, k], w [n, k], y [N, n].
void multiplyTransposed(const MatrixF &x, const MatrixF &w, MatrixF &y);

/// sum += x^T x, x [N, f]; `sum` [f, f] is symmetric and stays so to the last bit.
void addGram(const MatrixD &x, MatrixD &sum);
/// sum += a^T b, a [N, d], b [N, f].
void addCross(const MatrixD &a, const MatrixD &b, MatrixD &sum);

/// a b, and c - a b.
MatrixD multiply(const MatrixD &a, const MatrixD &b);
void subtractProduct(const MatrixD &a, const MatrixD &b, MatrixD &c);

/// Rows first … first + count - 1 in f64.
MatrixD widened(const MatrixF &x, int64_t first, int64_t count);

/// The entries of the lower triangle, above it too.
void mirrorLower(MatrixD &matrix);

} // namespace xfmr
