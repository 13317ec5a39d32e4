// Which experts of a mixture stay. A criterion is one file of this folder and one line of passes/PruneExpertCriteria.def.
#pragma once

#include "passes/PruneOptions.h"
#include "passes/calibration/UnitStatistics.h"

namespace xfmr {

class ExpertCriterion {
public:
  virtual ~ExpertCriterion() = default;

  /// Reads statistics of a text.
  virtual bool readsText() const { return true; }
  /// Compares what whole sets of experts make of the text (passes/transforms/prune/ExpertChoice.cpp), which statistics
  /// do not tell; there are no scores then.
  virtual bool comparesSets() const { return false; }
  /// The larger, the rather the expert stays; equal ones go by their number.
  virtual double score(const UnitStatistics &) const { return 0; }
};

/// The criterion of a method.
const ExpertCriterion &expertCriterionOf(ExpertMethod method);

// One function a file.
#define XFMR_EXPERT_CRITERION(name, word) const ExpertCriterion &name##ExpertCriterion();
#include "passes/PruneExpertCriteria.def"

} // namespace xfmr
