// What is done to a projection that lost columns. A repair is one file of this folder and one line of passes/PruneRepairs.def.
#pragma once

#include "passes/PruneOptions.h"
#include "passes/calibration/LeastSquares.h"

namespace xfmr {

class RepairRule {
public:
  virtual ~RepairRule() = default;

  /// The projection is fitted again, from sums over the text.
  virtual bool fits() const { return true; }
  /// Projections that lost nothing are fitted too where something was cut before them, and so are the inputs of those
  /// before (transforms/prune/InputMap.h).
  virtual bool followsPath() const { return false; }
  /// The fit is pulled to the weights that are there, not to zero.
  virtual bool staysNear() const { return false; }
  /// Ridge as a share of the Gram matrix's mean diagonal, unless the user says.
  virtual double damping() const { return 1e-2; }

  /// What the columns `kept` become.
  virtual MatrixD weight(const NormalEquations &sums, llvm::ArrayRef<int64_t> kept, double ridge,
                         const MatrixD *prior) const {
    return fitColumns(sums, kept, ridge, prior);
  }
};

/// The rule of a repair; that of `automatic` depends on the criterion (CalibrationOptions::chosenRepair).
const RepairRule &repairOf(Repair repair);

// One function a file.
#define XFMR_REPAIR(name, word) const RepairRule &name##Repair();
#include "passes/PruneRepairs.def"

} // namespace xfmr
