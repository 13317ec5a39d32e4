// method=wanda-sp: mean_i |W_ij| |x_j|_2, a head's the sum of its channels' (An et al. 2024).
#include "passes/calibration/criteria/Criterion.h"

namespace xfmr {
namespace {

struct WandaSp : Criterion {
  VectorD channelScores(const UnitStatistics &statistics, const MatrixF &weight) const override {
    const MatrixD wide = weight.cast<double>();
    return wide.cwiseAbs().colwise().mean().transpose().cwiseProduct(statistics.squares.cwiseSqrt());
  }
};

} // namespace

const Criterion &wandaSpCriterion() {
  static const WandaSp criterion;
  return criterion;
}

} // namespace xfmr
