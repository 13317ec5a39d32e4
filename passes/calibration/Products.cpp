// See Products.h. A tile is large enough that packing its operands again in each tile costs little, and small enough that
// a matrix gives every thread several.
#include "passes/calibration/Products.h"

#include "passes/calibration/Parallel.h"

namespace xfmr {
namespace {

constexpr int64_t kTile = 512, kWideTile = 256; // of f32 and of f64

} // namespace

void multiplyTransposed(const MatrixF &x, const MatrixF &w, MatrixF &y) {
  y.resize(x.rows(), w.rows());
  parallelTiles(y.rows(), y.cols(), kTile, /*lower=*/false, [&](const Tile &tile) {
    tile.of(y).noalias() = x.middleRows(tile.row, tile.rows) * w.middleRows(tile.column, tile.columns).transpose();
  });
}

void addGram(const MatrixD &x, MatrixD &sum) {
  parallelTiles(sum.rows(), sum.cols(), kWideTile, /*lower=*/true, [&](const Tile &tile) {
    tile.of(sum).noalias() += x.middleCols(tile.row, tile.rows).transpose() * x.middleCols(tile.column, tile.columns);
  });
  mirrorLower(sum);
}

void addCross(const MatrixD &a, const MatrixD &b, MatrixD &sum) {
  parallelTiles(sum.rows(), sum.cols(), kWideTile, /*lower=*/false, [&](const Tile &tile) {
    tile.of(sum).noalias() += a.middleCols(tile.row, tile.rows).transpose() * b.middleCols(tile.column, tile.columns);
  });
}

MatrixD multiply(const MatrixD &a, const MatrixD &b) {
  MatrixD c(a.rows(), b.cols());
  parallelTiles(c.rows(), c.cols(), kWideTile, /*lower=*/false, [&](const Tile &tile) {
    tile.of(c).noalias() = a.middleRows(tile.row, tile.rows) * b.middleCols(tile.column, tile.columns);
  });
  return c;
}

void subtractProduct(const MatrixD &a, const MatrixD &b, MatrixD &c) {
  parallelTiles(c.rows(), c.cols(), kWideTile, /*lower=*/false, [&](const Tile &tile) {
    tile.of(c).noalias() -= a.middleRows(tile.row, tile.rows) * b.middleCols(tile.column, tile.columns);
  });
}

MatrixD widened(const MatrixF &x, int64_t first, int64_t count) {
  MatrixD wide(count, x.cols());
  // Along columns of the result, which is what a thread writes.
  parallelRows(x.cols(), 64, [&](int64_t column, int64_t columns) {
    wide.middleCols(column, columns) = x.block(first, column, count, columns).cast<double>();
  });
  return wide;
}

void mirrorLower(MatrixD &matrix) {
  parallelTiles(matrix.rows(), matrix.cols(), kWideTile, /*lower=*/true, [&](const Tile &tile) {
    if (tile.row == tile.column)
      tile.of(matrix).triangularView<Eigen::StrictlyUpper>() = tile.of(matrix).transpose().eval();
    else
      matrix.block(tile.column, tile.row, tile.columns, tile.rows) = tile.of(matrix).transpose();
  });
}

} // namespace xfmr
