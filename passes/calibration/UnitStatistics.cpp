// See UnitStatistics.h.
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

llvm::SmallVector<double> channelScores(UnitMethod method, const UnitStatistics &statistics, const MatrixF &weight) {
  const MatrixD wide = weight.cast<double>();
  VectorD scores;
  switch (method) {
  case UnitMethod::first:
  case UnitMethod::magnitude: scores = wide.colwise().norm().transpose(); break;
  case UnitMethod::activation: scores = statistics.windowMeans.cwiseSqrt(); break;
  case UnitMethod::wandaSp:
  case UnitMethod::fasp:
  case UnitMethod::obs:
    scores = wide.cwiseAbs().colwise().mean().transpose().cwiseProduct(statistics.squares.cwiseSqrt());
    break;
  case UnitMethod::flap:
    scores = statistics.variance().cwiseProduct(wide.colwise().squaredNorm().transpose());
    break;
  }
  return llvm::SmallVector<double>(scores.data(), scores.data() + scores.size());
}

llvm::SmallVector<double> headScores(UnitMethod method, const UnitStatistics &statistics, const MatrixF &weight,
                                     int64_t headDim, int64_t heads) {
  const int64_t width = headDim * heads, units = weight.cols() / width;
  llvm::SmallVector<double> scores(units);
  const llvm::SmallVector<double> channels = channelScores(method, statistics, weight);
  for (int64_t unit = 0; unit < units; ++unit) {
    if (method == UnitMethod::magnitude || method == UnitMethod::first) {
      scores[unit] = weight.middleCols(unit * width, width).cast<double>().norm();
      continue;
    }
    if (method == UnitMethod::activation) {
      scores[unit] = heads == 1 ? statistics.headNorms[unit] : statistics.groupNorms[unit];
      continue;
    }
    for (int64_t i = unit * width; i < (unit + 1) * width; ++i)
      scores[unit] += method == UnitMethod::flap ? channels[i] * channels[i] / static_cast<double>(width) : channels[i];
  }
  return scores;
}

} // namespace xfmr
