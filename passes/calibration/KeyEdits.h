// Changes of low rank of linear maps that give chosen keys the values they are asked for and change what other inputs get as little
// as can be: one key as in ROME (Meng et al. 2022, arXiv 2202.05262, eq. 2), many as in MEMIT (Meng et al. 2023, arXiv 2210.07229,
// eq. 14), and what they cost. Pure functions of plain matrices, f64.
#pragma once

#include "passes/calibration/Matrix.h"
#include "runtime/artifact/Status.h"

#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace xfmr {

/// One of the maps whose outputs add up: a down projection, or those of the experts of a mixture, gates in the inputs.
struct EditedMap {
  MatrixD keys;     // [f, n], a column an edit; zeros where an edit does not reach this map
  MatrixD gram;     // [f, f], sum over a text of x x^T
  double ridge = 0; // added to its diagonal
};

/// Map W_m becomes W_m + b a_m, in the rounding in which both are stored.
struct KeyEdits {
  MatrixF b;              // [d, n]
  std::vector<MatrixF> a; // [n, f] each
};

/// With C_m = (gram + ridge I) / tokens, M = textWeight I + sum_m K_m^T C_m^-1 K_m: a_m = M^-1 K_m^T C_m^-1, b = `changes` [d, n]. With
/// `textWeight` 0 sum_m b a_m K_m = changes, and of all D_m that do this these have the least sum_m trace(D_m C_m D_m^T); else they
/// have the least textWeight * that sum + |sum_m D_m K_m - changes|^2, which is MEMIT's objective with lambda = textWeight. Errors:
/// a zero key, equal or dependent keys, a C that f64 cannot invert, an edit beyond the range of f32.
Status solveEdits(llvm::ArrayRef<EditedMap> maps, const MatrixD &changes, double tokens, double textWeight,
                  KeyEdits &out);

/// What the maps give each key together: [d, n].
MatrixD valuesOf(llvm::ArrayRef<EditedMap> maps, llvm::ArrayRef<MatrixF> weights);

struct EditCost {
  double weight; // |W' - W| / |W|, Frobenius, all maps together
  double text;   // sqrt(sum_m E |(W'_m - W_m) x|^2 / sum_m E |W_m x|^2) over the inputs of the Gram matrices
  double value;  // the most of any |sum_m W'_m k_m - v| / max(|v|, |sum_m W_m k_m|): what is left of the requests
};
/// `values` [d, n] is what the keys are to get.
EditCost editCost(llvm::ArrayRef<EditedMap> maps, llvm::ArrayRef<MatrixF> before, llvm::ArrayRef<MatrixF> after,
                  const MatrixD &values);

} // namespace xfmr
