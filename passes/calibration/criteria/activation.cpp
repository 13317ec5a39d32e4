// method=activation: the L2 norm over windows of mean |x_j|; of a head, of the mean norm of its columns (Muralidharan et al. 2024).
#include "passes/calibration/criteria/Criterion.h"

namespace xfmr {
namespace {

struct Activation : Criterion {
  VectorD channelScores(const UnitStatistics &statistics, const MatrixF &) const override {
    return statistics.windowMeans.cwiseSqrt();
  }
  double headScore(const UnitStatistics &statistics, const MatrixF &, const VectorD &, int64_t, int64_t, int64_t unit,
                   bool single) const override {
    return single ? statistics.headNorms[unit] : statistics.groupNorms[unit];
  }
};

} // namespace

const Criterion &activationCriterion() {
  static const Activation criterion;
  return criterion;
}

} // namespace xfmr
