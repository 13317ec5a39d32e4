// repair=ls: ridge least squares of the columns that stay against what the module gave (LeastSquares.h).
#include "passes/calibration/repairs/RepairRule.h"

namespace xfmr {
namespace {

struct LeastSquaresRepair : RepairRule {};

} // namespace

const RepairRule &lsRepair() {
  static const LeastSquaresRepair rule;
  return rule;
}

} // namespace xfmr
