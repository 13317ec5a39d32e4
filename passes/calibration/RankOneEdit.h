// A rank-one change of a linear map that gives one key the value it is asked for and changes what
// other inputs get as little as can be (ROME: Meng et al. 2022), and what it costs. Pure functions
// of plain matrices, f64.
#pragma once

#include "passes/calibration/Matrix.h"
#include "runtime/artifact/Status.h"

namespace xfmr {

/// W becomes W + b a, in the rounding in which both are stored.
struct RankOneEdit {
  MatrixF b; // [d, 1], v - W k
  MatrixF a; // [1, f], C^-1 k / (k^T C^-1 k), so that a k = 1
};

/// The edit with (W + b a) key = value that among all changes D with D key = value - W key has the
/// least trace(D C D^T), C = gram + ridge I. For W `weight` [d, f], gram [f, f], key [f], value
/// [d]. Errors: a zero key, a C that f64 cannot invert, an edit beyond the range of f32.
Status rankOneEdit(const MatrixF &weight, const MatrixD &gram, double ridge, const VectorD &key,
                   const VectorD &value, RankOneEdit &out);

struct EditCost {
  double weight; // |W' - W| / |W|, Frobenius
  double text;   // sqrt(E |(W' - W) x|^2 / E |W x|^2) over the inputs of the Gram matrix
  double value;  // |W' k - v| / max(|v|, |W k|): what rounding leaves of the request
};
EditCost editCost(const MatrixF &before, const MatrixF &after, const MatrixD &gram,
                  const VectorD &key, const VectorD &value);

} // namespace xfmr
