// repair=full: as ls, near the weights that are there, along the whole path from the first cut on, inputs included.
#include "passes/calibration/repairs/RepairRule.h"

namespace xfmr {
namespace {

struct Full : RepairRule {
  bool followsPath() const override { return true; }
  bool staysNear() const override { return true; }
  double damping() const override { return 1e-3; }
};

} // namespace

const RepairRule &fullRepair() {
  static const Full rule;
  return rule;
}

} // namespace xfmr
