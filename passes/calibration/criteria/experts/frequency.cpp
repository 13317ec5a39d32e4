// method=frequency: the experts stay that most tokens of the text are routed to.
#include "passes/calibration/criteria/experts/ExpertCriterion.h"

namespace xfmr {
namespace {

struct Frequency : ExpertCriterion {
  double score(const UnitStatistics &statistics) const override { return static_cast<double>(statistics.tokens); }
};

} // namespace

const ExpertCriterion &frequencyExpertCriterion() {
  static const Frequency criterion;
  return criterion;
}

} // namespace xfmr
