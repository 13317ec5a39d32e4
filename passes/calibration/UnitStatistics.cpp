// Sums over windows of tokens.
#include "passes/calibration/UnitStatistics.h"

namespace xfmr {
namespace {

// Adds, for every run of `width` columns, the square of the window's mean norm.
void addNorms(const MatrixF &x, int64_t width, VectorD &norms) {
  for (Eigen::Index unit = 0; unit < norms.size(); ++unit) {
    const double mean = x.middleCols(unit * width, width).rowwise().norm().cast<double>().mean();
    norms[unit] += mean * mean;
  }
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
  for (Eigen::Index row = 0; row < x.rows(); row += window) {
    const MatrixF part = x.middleRows(row, window);
    const MatrixD wide = part.cast<double>();
    sum += wide.colwise().sum().transpose();
    squares += wide.cwiseAbs2().colwise().sum().transpose();
    windowMeans += wide.cwiseAbs().colwise().mean().cwiseAbs2().transpose();
    if (headDim > 0) {
      addNorms(part, headDim, headNorms);
      addNorms(part, headDim * groupSize, groupNorms);
    }
    if (withGram)
      gram.noalias() += wide.transpose() * wide;
  }
}

VectorD UnitStatistics::variance() const {
  const double count = static_cast<double>(tokens);
  return (squares - sum.cwiseAbs2() / count).cwiseMax(0.0) / std::max(count - 1, 1.0);
}

} // namespace xfmr
