// What follows from the options of a pruning pass.
#include "passes/calibration/criteria/Criterion.h"
#include "passes/calibration/criteria/experts/ExpertCriterion.h"
#include "passes/calibration/repairs/RepairRule.h"

namespace xfmr {

Repair CalibrationOptions::chosenRepair() const {
  if (repair != Repair::automatic)
    return repair;
  return criterionOf(method).refits() ? Repair::ls : Repair::none;
}

bool CalibrationOptions::prunedPath() const {
  if (path != CalibrationPath::automatic)
    return path == CalibrationPath::pruned;
  return criterionOf(method).solvesEquations() && statistics.empty();
}

bool CalibrationOptions::needsActivations() const {
  return repairOf(chosenRepair()).fits() || expertCriterionOf(experts).readsText() || criterionOf(method).readsText();
}

double CalibrationOptions::dampingShare() const { return damping > 0 ? damping : repairOf(chosenRepair()).damping(); }

} // namespace xfmr
