// Sums over windows of tokens.
#include "passes/calibration/UnitStatistics.h"

#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"

namespace xfmr {
namespace {

// Adds, for every run of `width` columns, the square of each window's mean norm.
void addNorms(const MatrixF &x, int64_t window, int64_t width, VectorD &norms) {
  parallelFor(norms.size(), [&](int64_t unit) {
    for (Eigen::Index row = 0; row < x.rows(); row += window) {
      const double mean = x.block(row, unit * width, window, width).rowwise().norm().cast<double>().mean();
      norms[unit] += mean * mean;
    }
  });
}

} // namespace

void UnitStatistics::add(const MatrixF &x, int64_t window, int64_t headDim, int64_t groupSize, bool withGram) {
  if (sum.size() == 0) {
    sum = squares = windowMeans = VectorD::Zero(x.cols());
    if (headDim > 0) {
      headNorms = VectorD::Zero(x.cols() / headDim);
      groupNorms = VectorD::Zero(x.cols() / headDim / groupSize);
    }
    if (withGram)
      gram = MatrixD::Zero(x.cols(), x.cols());
  }
  tokens += x.rows();
  constexpr int64_t kColumns = 128; // of a thread at a time
  parallelRows(x.cols(), kColumns, [&](int64_t first, int64_t count) {
    for (Eigen::Index row = 0; row < x.rows(); row += window) {
      const MatrixD wide = x.block(row, first, window, count).cast<double>();
      sum.segment(first, count) += wide.colwise().sum().transpose();
      squares.segment(first, count) += wide.cwiseAbs2().colwise().sum().transpose();
      windowMeans.segment(first, count) += wide.cwiseAbs().colwise().mean().cwiseAbs2().transpose();
    }
  });
  if (headDim > 0) {
    addNorms(x, window, headDim, headNorms);
    addNorms(x, window, headDim * groupSize, groupNorms);
  }
  constexpr int64_t kRows = 4096; // bounds the f64 copies
  for (int64_t row = 0; withGram && row < x.rows(); row += kRows)
    addGram(widened(x, row, std::min(kRows, x.rows() - row)), gram);
}

VectorD UnitStatistics::variance() const {
  const double count = static_cast<double>(tokens);
  return (squares - sum.cwiseAbs2() / count).cwiseMax(0.0) / std::max(count - 1, 1.0);
}

} // namespace xfmr
