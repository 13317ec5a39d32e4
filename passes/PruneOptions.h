// The choices that options of the pruning passes name, and the options that several of them share.
#pragma once

#include "llvm/Support/CommandLine.h"

#include <cstdint>
#include <string>
#include <vector>

namespace xfmr {

/// Which heads an attention gives up.
enum class HeadMode {
  perGroup, // the same number of query heads in every key/value group; keys and values stay
  kvGroups  // whole groups: key, value and all their query heads
};

/// Which feed-forward networks are meant.
enum class FfnPlace { all, dense, experts };

/// How heads and channels are chosen: one word a line of the table.
enum class UnitMethod {
#define XFMR_CRITERION(name, word) name,
#include "passes/PruneCriteria.def"
};
inline llvm::cl::ValuesClass unitMethodWords() {
  return llvm::cl::ValuesClass({
#define XFMR_CRITERION(name, word) clEnumValN(UnitMethod::name, word, ""),
#include "passes/PruneCriteria.def"
  });
}

/// How experts are chosen, likewise.
enum class ExpertMethod {
#define XFMR_EXPERT_CRITERION(name, word) name,
#include "passes/PruneExpertCriteria.def"
};
inline llvm::cl::ValuesClass expertMethodWords() {
  return llvm::cl::ValuesClass({
#define XFMR_EXPERT_CRITERION(name, word) clEnumValN(ExpertMethod::name, word, ""),
#include "passes/PruneExpertCriteria.def"
  });
}

/// How layers are chosen.
enum class LayerMethod {
  first,
  influence // least block influence goes: 1 - mean cosine of what enters and leaves (Men et al. 2024)
};

/// What is done to the weights that stay: one word a line of the table. `automatic`: ls where the criterion refits, else none.
enum class Repair {
  automatic,
#define XFMR_REPAIR(name, word) name,
#include "passes/PruneRepairs.def"
};
inline llvm::cl::ValuesClass repairWords() {
  return llvm::cl::ValuesClass({
      clEnumValN(Repair::automatic, "auto", ""),
#define XFMR_REPAIR(name, word) clEnumValN(Repair::name, word, ""),
#include "passes/PruneRepairs.def"
  });
}

/// Whose activations choose and repair: the dense model's, or those of the model as pruned so far.
enum class CalibrationPath { automatic, dense, pruned };

/// What becomes of a quantised weight when a cut goes through its groups.
enum class Recut { round, refuse };

/// How units are chosen and repaired, and with what.
struct CalibrationOptions {
  UnitMethod method = UnitMethod::first;
  ExpertMethod experts = ExpertMethod::first;
  Repair repair = Repair::automatic;
  CalibrationPath path = CalibrationPath::automatic;
  std::vector<std::string> texts;
  std::string statistics, out;
  int64_t window = 256;
  Recut recut = Recut::round;
  double damping = 0; // share of the Gram's mean diagonal; 0: the repair says

  // What follows from the choices; passes/calibration/CalibrationOptions.cpp asks the criterion and the repair.
  Repair chosenRepair() const;
  bool prunedPath() const;
  bool needsActivations() const;
  double dampingShare() const;
};

} // namespace xfmr
