// The table of criteria and what most of them share: columns and heads of largest score.
#include "passes/calibration/criteria/Criterion.h"

namespace xfmr {

double Criterion::headScore(const UnitStatistics &, const MatrixF &, const VectorD &channels, int64_t begin,
                            int64_t width, int64_t, bool) const {
  return channels.segment(begin, width).sum();
}

Columns Criterion::chooseColumns(const CriterionInput &input, int64_t width, int64_t keep) const {
  Columns columns;
  for (auto [index, part] : llvm::enumerate(input.parts)) {
    const VectorD scores = channelScores(*part.statistics, *part.weight);
    for (int64_t column : keepLargest({scores.data(), static_cast<size_t>(scores.size())}, keep))
      columns.push_back(static_cast<int64_t>(index) * width + column);
  }
  return columns;
}

Columns Criterion::chooseHeads(const CriterionInput &input, const HeadShape &shape, int64_t keep) const {
  const CriterionPart &part = input.parts.front();
  const llvm::SmallVector<double> scores = headScores(*this, *part.statistics, *part.weight, shape.headDim, shape.unitHeads);
  const int64_t size = static_cast<int64_t>(scores.size()) / shape.groups;
  Columns units;
  for (int64_t group = 0; group < shape.groups; ++group)
    for (int64_t unit : keepLargest(llvm::ArrayRef<double>(scores).slice(group * size, size), keep))
      units.push_back(group * size + unit);
  return units;
}

const Criterion &criterionOf(UnitMethod method) {
  switch (method) {
#define XFMR_CRITERION(name, word)                                                                                     \
  case UnitMethod::name: return name##Criterion();
#include "passes/PruneCriteria.def"
  }
  llvm_unreachable("every method has a line in PruneCriteria.def");
}

llvm::SmallVector<double> channelScores(UnitMethod method, const UnitStatistics &statistics, const MatrixF &weight) {
  const VectorD scores = criterionOf(method).channelScores(statistics, weight);
  return {scores.data(), scores.data() + scores.size()};
}

llvm::SmallVector<double> headScores(const Criterion &criterion, const UnitStatistics &statistics, const MatrixF &weight,
                                     int64_t headDim, int64_t heads) {
  const int64_t width = headDim * heads;
  const VectorD channels = criterion.channelScores(statistics, weight);
  llvm::SmallVector<double> scores(weight.cols() / width);
  for (auto [unit, score] : llvm::enumerate(scores))
    score = criterion.headScore(statistics, weight, channels, static_cast<int64_t>(unit) * width, width,
                                static_cast<int64_t>(unit), heads == 1);
  return scores;
}

} // namespace xfmr
