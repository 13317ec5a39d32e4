// method=first: the first units stay. For tests, and where only the size matters.
#include "passes/calibration/criteria/Criterion.h"

#include <numeric>

namespace xfmr {
namespace {

struct First : Criterion {
  bool readsText() const override { return false; }
  bool readsWeight() const override { return false; }

  VectorD channelScores(const UnitStatistics &, const MatrixF &weight) const override {
    return VectorD::Zero(weight.cols()); // ties go to the lower index
  }
  Columns chooseColumns(const CriterionInput &input, int64_t width, int64_t keep) const override {
    return firstOf(static_cast<int64_t>(input.parts.size()), width, keep);
  }
  Columns chooseHeads(const CriterionInput &, const HeadShape &shape, int64_t keep) const override {
    return firstOf(shape.groups, shape.units / shape.groups, keep);
  }

  static Columns firstOf(int64_t sets, int64_t size, int64_t keep) {
    Columns columns(sets * keep);
    for (int64_t set = 0; set < sets; ++set)
      std::iota(columns.begin() + set * keep, columns.begin() + (set + 1) * keep, set * size);
    return columns;
  }
};

} // namespace

const Criterion &firstCriterion() {
  static const First criterion;
  return criterion;
}

} // namespace xfmr
