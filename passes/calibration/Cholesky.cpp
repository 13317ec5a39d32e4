// See Cholesky.h. Right-looking: a block column is factored, then the rest loses its product, tile by tile.
#include "passes/calibration/Cholesky.h"

#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"

namespace xfmr {
namespace {

constexpr int64_t kBlock = 128; // columns of a step, and of a piece of a solve
constexpr int64_t kTile = 256;

} // namespace

Cholesky::Cholesky(const MatrixD &a, double ridge) : lower_(a) {
  lower_.diagonal().array() += ridge;
  const int64_t size = lower_.rows();
  for (int64_t at = 0; at < size; at += kBlock) {
    const int64_t width = std::min(kBlock, size - at), after = at + width, rest = size - after;
    auto diagonal = lower_.block(at, at, width, width);
    const MatrixD factor = MatrixD(diagonal).llt().matrixL();
    diagonal = factor;
    parallelRows(rest, kTile, [&](int64_t first, int64_t rows) {
      auto panel = lower_.block(after + first, at, rows, width);
      MatrixD solved = panel.transpose();
      factor.triangularView<Eigen::Lower>().solveInPlace(solved);
      panel = solved.transpose();
    });
    parallelTiles(rest, rest, kTile, /*lower=*/true, [&](const Tile &tile) {
      lower_.block(after + tile.row, after + tile.column, tile.rows, tile.columns).noalias() -=
          lower_.block(after + tile.row, at, tile.rows, width) *
          lower_.block(after + tile.column, at, tile.columns, width).transpose();
    });
  }
}

MatrixD Cholesky::solveLower(MatrixD b) const {
  parallelRows(b.cols(), kBlock, [&](int64_t first, int64_t columns) {
    auto part = b.middleCols(first, columns);
    lower_.triangularView<Eigen::Lower>().solveInPlace(part);
  });
  return b;
}

MatrixD Cholesky::solve(MatrixD b) const {
  parallelRows(b.cols(), kBlock, [&](int64_t first, int64_t columns) {
    auto part = b.middleCols(first, columns);
    lower_.triangularView<Eigen::Lower>().solveInPlace(part);
    lower_.triangularView<Eigen::Lower>().transpose().solveInPlace(part);
  });
  return b;
}

MatrixD Cholesky::inverse() const {
  const int64_t size = lower_.rows();
  MatrixD own = MatrixD::Identity(size, size); // becomes L^-1, whose column j begins at row j
  parallelRows(size, kBlock, [&](int64_t first, int64_t columns) {
    auto part = own.block(first, first, size - first, columns);
    lower_.bottomRightCorner(size - first, size - first).triangularView<Eigen::Lower>().solveInPlace(part);
  });
  MatrixD inverse(size, size);
  parallelTiles(size, size, kTile, /*lower=*/true, [&](const Tile &tile) {
    const int64_t from = tile.row; // above it one of the two is zero
    tile.of(inverse).noalias() = own.block(from, tile.row, size - from, tile.rows).transpose() *
                                 own.block(from, tile.column, size - from, tile.columns);
  });
  mirrorLower(inverse);
  return inverse;
}

} // namespace xfmr
