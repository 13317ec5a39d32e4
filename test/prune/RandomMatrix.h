// Matrices of normal numbers from a seed.
#pragma once
#include "passes/calibration/LeastSquares.h"
#include <random>

namespace xfmr {

inline MatrixF randomMatrix(int64_t rows, int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  return MatrixF::NullaryExpr(rows, columns, [&] { return normal(random); });
}

} // namespace xfmr
