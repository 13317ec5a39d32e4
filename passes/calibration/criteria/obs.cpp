// method=obs: greedy optimal brain surgery on the normal equations (LeastSquares.h), fitting again as it goes.
#include "passes/calibration/criteria/Criterion.h"

namespace xfmr {
namespace {

struct Obs : Criterion {
  bool solvesEquations() const override { return true; }

  VectorD channelScores(const UnitStatistics &statistics, const MatrixF &weight) const override {
    return wandaSpCriterion().channelScores(statistics, weight); // where only scores are asked for
  }
  Columns chooseColumns(const CriterionInput &input, int64_t width, int64_t keep) const override {
    return keepColumns(*input.sums, keep, /*block=*/std::max<int64_t>(1, width / 16),
                       static_cast<int64_t>(input.parts.size()), input.ridge, input.prior)
        .front();
  }
  Columns chooseHeads(const CriterionInput &input, const HeadShape &shape, int64_t keep) const override {
    return keepUnits(*input.sums, shape.headDim * shape.unitHeads, shape.groups, keep, input.ridge, input.prior)
        .front();
  }
};

} // namespace

const Criterion &obsCriterion() {
  static const Obs criterion;
  return criterion;
}

} // namespace xfmr
