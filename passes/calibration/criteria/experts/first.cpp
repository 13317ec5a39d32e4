// method=first: the first experts stay. For tests, and where only the number matters.
#include "passes/calibration/criteria/experts/ExpertCriterion.h"

namespace xfmr {
namespace {

struct First : ExpertCriterion {
  bool readsText() const override { return false; }
};

} // namespace

const ExpertCriterion &firstExpertCriterion() {
  static const First criterion;
  return criterion;
}

} // namespace xfmr
