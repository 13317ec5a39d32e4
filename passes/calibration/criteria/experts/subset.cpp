// method=subset: the set whose mixture comes closest to the whole one (Lu et al. 2024); for few experts.
#include "passes/calibration/criteria/experts/ExpertCriterion.h"

namespace xfmr {
namespace {

struct Subset : ExpertCriterion {
  bool comparesSets() const override { return true; }
};

} // namespace

const ExpertCriterion &subsetExpertCriterion() {
  static const Subset criterion;
  return criterion;
}

} // namespace xfmr
