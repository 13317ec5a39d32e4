// The table of repairs.
#include "passes/calibration/repairs/RepairRule.h"

namespace xfmr {

const RepairRule &repairOf(Repair repair) {
  switch (repair) {
  case Repair::automatic: return noneRepair();
#define XFMR_REPAIR(name, word)                                                                                        \
  case Repair::name: return name##Repair();
#include "passes/PruneRepairs.def"
  }
  llvm_unreachable("every repair has a line in PruneRepairs.def");
}

} // namespace xfmr
