// method=fasp: the choice of wanda-sp, and what stays fitted again (Hu et al. 2025).
#include "passes/calibration/criteria/Criterion.h"

namespace xfmr {
namespace {

struct Fasp : Criterion {
  bool refits() const override { return true; }

  VectorD channelScores(const UnitStatistics &statistics, const MatrixF &weight) const override {
    return wandaSpCriterion().channelScores(statistics, weight);
  }
};

} // namespace

const Criterion &faspCriterion() {
  static const Fasp criterion;
  return criterion;
}

} // namespace xfmr
