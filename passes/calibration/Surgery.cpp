// See Surgery.h.
#include "passes/calibration/Surgery.h"

#include "passes/calibration/Cholesky.h"
#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"

#include <numeric>

namespace xfmr {
namespace {

MatrixD blockAt(const MatrixD &matrix, llvm::ArrayRef<int64_t> rows, llvm::ArrayRef<int64_t> columns) {
  MatrixD picked(rows.size(), columns.size());
  parallelRows(columns.size(), 64, [&](int64_t first, int64_t count) {
    for (int64_t j = first; j < first + count; ++j)
      for (size_t i = 0; i < rows.size(); ++i)
        picked(i, j) = matrix(rows[i], columns[j]);
  });
  return picked;
}

llvm::SmallVector<int64_t> rest(int64_t count, llvm::ArrayRef<int64_t> gone) {
  llvm::SmallVector<int64_t> left;
  for (int64_t i = 0; i < count; ++i)
    if (!gone.empty() && gone.front() == i)
      gone = gone.drop_front();
    else
      left.push_back(i);
  return left;
}

} // namespace

MatrixD columnsAt(const MatrixD &matrix, llvm::ArrayRef<int64_t> columns) {
  MatrixD picked(matrix.rows(), columns.size());
  for (size_t i = 0; i < columns.size(); ++i)
    picked.col(i) = matrix.col(columns[i]);
  return picked;
}

MatrixD squareAt(const MatrixD &matrix, llvm::ArrayRef<int64_t> indices) { return blockAt(matrix, indices, indices); }

Surgery::Surgery(const NormalEquations &sums, double ridge, const MatrixD *prior)
    : kept_(sums.gram.rows()), inverse_(Cholesky(sums.gram, ridge).inverse()) {
  std::iota(kept_.begin(), kept_.end(), 0);
  if (!prior) {
    weight_ = multiply(sums.cross, inverse_);
    return;
  }
  MatrixD missing = sums.cross;
  subtractProduct(*prior, sums.gram, missing);
  weight_ = *prior + multiply(missing, inverse_);
}

double Surgery::cost(int64_t position) const {
  return weight_.col(position).squaredNorm() / inverse_(position, position);
}

double Surgery::costOfRun(int64_t position, int64_t width) const {
  // |L^-1 W_S^T|^2 of L L^T = [H^-1]_SS.
  MatrixD columns = weight_.middleCols(position, width).transpose();
  MatrixD(inverse_.block(position, position, width, width)).llt().matrixL().solveInPlace(columns);
  return columns.squaredNorm();
}

void Surgery::remove(llvm::ArrayRef<int64_t> positions) {
  const llvm::SmallVector<int64_t> left = rest(kept_.size(), positions);
  const Cholesky factors(squareAt(inverse_, positions), 0);
  const MatrixD between = factors.solveLower(blockAt(inverse_, positions, left)); // L^-1 [H^-1]_SR
  const MatrixD gone = factors.solveLower(columnsAt(weight_, positions).transpose()).transpose();
  MatrixD weight = columnsAt(weight_, left), inverse(left.size(), left.size());
  subtractProduct(gone, between, weight);
  parallelTiles(inverse.rows(), inverse.cols(), 256, /*lower=*/true, [&](const Tile &tile) {
    auto part = tile.of(inverse);
    for (int64_t j = 0; j < tile.columns; ++j)
      for (int64_t i = 0; i < tile.rows; ++i)
        part(i, j) = inverse_(left[tile.row + i], left[tile.column + j]);
    part.noalias() -= between.middleCols(tile.row, tile.rows).transpose() * between.middleCols(tile.column, tile.columns);
  });
  mirrorLower(inverse);
  kept_ = without(positions);
  weight_ = std::move(weight);
  inverse_ = std::move(inverse);
}

llvm::SmallVector<int64_t> Surgery::without(llvm::ArrayRef<int64_t> positions) const {
  llvm::SmallVector<int64_t> columns = rest(kept_.size(), positions);
  for (int64_t &column : columns)
    column = kept_[column];
  return columns;
}

} // namespace xfmr
