// method=flap: Var(x_j) |W_j|_2^2, a head's the mean of its channels' squares; the mean of what goes becomes a bias (An et al. 2024).
#include "passes/calibration/criteria/Criterion.h"

namespace xfmr {
namespace {

struct Flap : Criterion {
  bool keepsMean() const override { return true; }

  VectorD channelScores(const UnitStatistics &statistics, const MatrixF &weight) const override {
    const MatrixD wide = weight.cast<double>();
    return statistics.variance().cwiseProduct(wide.colwise().squaredNorm().transpose());
  }
  double headScore(const UnitStatistics &, const MatrixF &, const VectorD &channels, int64_t begin, int64_t width, int64_t,
                   bool) const override {
    return channels.segment(begin, width).squaredNorm() / static_cast<double>(width);
  }
};

} // namespace

const Criterion &flapCriterion() {
  static const Flap criterion;
  return criterion;
}

} // namespace xfmr
