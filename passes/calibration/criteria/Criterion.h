// Which columns of a projection stay. A criterion is one file of this folder and one line of passes/PruneCriteria.def;
// docs/AddingAPruneMethod.md shows one.
#pragma once

#include "passes/PruneOptions.h"
#include "passes/calibration/LeastSquares.h"
#include "passes/calibration/UnitStatistics.h"

namespace xfmr {

/// Indices, ascending.
using Columns = llvm::SmallVector<int64_t>;

/// One projection [D, F] and what is known of the F columns it reads. What the criterion does not need may be null.
struct CriterionPart {
  const UnitStatistics *statistics = nullptr;
  const MatrixF *weight = nullptr;
};

/// What a criterion may look at: one part, or one for each expert of a mixture, whose columns lie side by side in `sums`.
struct CriterionInput {
  llvm::ArrayRef<CriterionPart> parts;
  const NormalEquations *sums = nullptr;
  double ridge = 0;
  const MatrixD *prior = nullptr; // what the repair pulls weights to, or null
};

/// Heads that are chosen among together: `units` of `unitHeads` heads of `headDim` columns, in `groups` equal groups.
struct HeadShape {
  int64_t headDim, unitHeads, units, groups;
};

class Criterion {
public:
  virtual ~Criterion() = default;

  /// Reads statistics of a text, or sums over it.
  virtual bool readsText() const { return true; }
  /// Reads the weight of the projection.
  virtual bool readsWeight() const { return true; }
  /// Chooses by the normal equations of the projection, so that what stays is fitted again unless told otherwise, on the
  /// path of the model as pruned so far.
  virtual bool solvesEquations() const { return false; }
  /// What stays is fitted again unless told otherwise.
  virtual bool refits() const { return solvesEquations(); }
  /// What the removed columns gave on average goes to the bias.
  virtual bool keepsMean() const { return false; }

  /// The larger, the rather a column stays.
  virtual VectorD channelScores(const UnitStatistics &statistics, const MatrixF &weight) const = 0;
  /// The same of the heads of columns [begin, begin + width). By default the sum of the scores of its channels.
  virtual double headScore(const UnitStatistics &statistics, const MatrixF &weight, const VectorD &channels,
                           int64_t begin, int64_t width, int64_t unit, bool single) const;

  /// `keep` columns of each part, out of `width`. By default those of largest score, a part at a time.
  virtual Columns chooseColumns(const CriterionInput &input, int64_t width, int64_t keep) const;
  /// `keep` units of each group, by default those of largest score.
  virtual Columns chooseHeads(const CriterionInput &input, const HeadShape &shape, int64_t keep) const;
};

/// The criterion of a method.
const Criterion &criterionOf(UnitMethod method);

/// Its scores of the columns of a projection [D, F], and of units of `heads` heads of `headDim` columns.
llvm::SmallVector<double> channelScores(UnitMethod method, const UnitStatistics &statistics, const MatrixF &weight);
llvm::SmallVector<double> headScores(const Criterion &criterion, const UnitStatistics &statistics, const MatrixF &weight,
                                     int64_t headDim, int64_t heads);

// One function a file.
#define XFMR_CRITERION(name, word) const Criterion &name##Criterion();
#include "passes/PruneCriteria.def"

} // namespace xfmr
