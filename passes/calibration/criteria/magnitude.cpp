// method=magnitude: |W_j|_2 of the weights that read a channel; of a head, over all its columns.
#include "passes/calibration/criteria/Criterion.h"

namespace xfmr {
namespace {

struct Magnitude : Criterion {
  bool readsText() const override { return false; }

  VectorD channelScores(const UnitStatistics &, const MatrixF &weight) const override {
    return weight.cast<double>().colwise().norm().transpose();
  }
  double headScore(const UnitStatistics &, const MatrixF &weight, const VectorD &, int64_t begin, int64_t width, int64_t,
                   bool) const override {
    return weight.middleCols(begin, width).cast<double>().norm();
  }
};

} // namespace

const Criterion &magnitudeCriterion() {
  static const Magnitude criterion;
  return criterion;
}

} // namespace xfmr
