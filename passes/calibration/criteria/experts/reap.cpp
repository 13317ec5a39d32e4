// method=reap: by the mean over an expert's tokens of gate * |output| (Lasby et al. 2025).
#include "passes/calibration/criteria/experts/ExpertCriterion.h"

namespace xfmr {
namespace {

struct Reap : ExpertCriterion {
  double score(const UnitStatistics &statistics) const override {
    return statistics.tokens ? statistics.gatedNorms / static_cast<double>(statistics.tokens) : 0.0;
  }
};

} // namespace

const ExpertCriterion &reapExpertCriterion() {
  static const Reap criterion;
  return criterion;
}

} // namespace xfmr
