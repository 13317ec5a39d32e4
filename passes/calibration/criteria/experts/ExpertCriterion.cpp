// The table of criteria of experts.
#include "passes/calibration/criteria/experts/ExpertCriterion.h"

namespace xfmr {

const ExpertCriterion &expertCriterionOf(ExpertMethod method) {
  switch (method) {
#define XFMR_EXPERT_CRITERION(name, word)                                                                              \
  case ExpertMethod::name: return name##ExpertCriterion();
#include "passes/PruneExpertCriteria.def"
  }
  llvm_unreachable("every method has a line in PruneExpertCriteria.def");
}

} // namespace xfmr
