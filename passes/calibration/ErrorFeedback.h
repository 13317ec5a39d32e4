// Rounding a matrix column by column, the error of each handed on to the columns that are still to be rounded (Frantar et al.
// 2023, GPTQ; the same sums as LDLQ). Pure functions of plain matrices.
#pragma once

#include "dialect/Xfmr.h"
#include "passes/calibration/Matrix.h"

#include <vector>

namespace xfmr {

/// A rounded matrix: packed rows (weights/QuantRows.h), and what they stand for.
struct RoundedMatrix {
  std::vector<uint8_t> bytes;
  MatrixF values;
};

/// Row by row and run by run, each by itself: what xfmr.weight_quantize gives.
RoundedMatrix roundMatrix(const MatrixF &weight, const QuantScheme &scheme, QuantRule rule);

/// plain: columns in their order, scales of a run by search on what it has become when its first column comes. careful: the
/// columns that weigh most first, as far as runs stay whole, and of the candidates of search the scale by which the run loses
/// least once its errors are handed on.
enum class Feedback { plain, careful };

/// With H = `gram` + share * mean diagonal * I, U^T U = H^-1: column j becomes q_j, and (w_j - q_j) / U_jj * U_jk is taken
/// from each later column k. Scales of a run are chosen by search when its first column comes, on what it has become.
RoundedMatrix roundWithFeedback(const MatrixD &weight, const MatrixD &gram, double share, const QuantScheme &scheme,
                                Feedback feedback = Feedback::plain);

/// Sum over tokens of |(W - Q) x|^2 over that of |W x|^2, from the Gram matrix of x.
double outputError(const MatrixD &weight, const MatrixF &rounded, const MatrixD &gram);

} // namespace xfmr
