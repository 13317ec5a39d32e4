// Which experts stay: the first, by a score of each, or the set whose mixture comes closest to the whole one.
#include "passes/calibration/criteria/experts/ExpertCriterion.h"
#include "passes/transforms/prune/Cut.h"

using namespace mlir;

namespace xfmr {
namespace {

// All sets of `count` out of `present`, in lexical order.
void subsets(int64_t present, int64_t count, std::vector<Indices> &out) {
  Indices set = firstIndices(count);
  for (;;) {
    out.push_back(set);
    int64_t at = count - 1;
    while (at >= 0 && set[at] == present - count + at)
      --at;
    if (at < 0)
      return;
    ++set[at];
    for (int64_t i = at + 1; i < count; ++i)
      set[i] = set[i - 1] + 1;
  }
}

double binomial(int64_t n, int64_t k) {
  double value = 1;
  for (int64_t i = 0; i < k; ++i)
    value = value * static_cast<double>(n - i) / static_cast<double>(i + 1);
  return value;
}

constexpr double kMostSubsets = 5000;

LogicalResult chooseSubset(PruneStreams &streams, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count,
                           Indices &kept) {
  MoeOp mixture = units.mixture, denseMixture = dense.mixture;
  const int64_t experts = mixture.getNumExperts();
  if (mixture.getRouting().getNGroup() > 1)
    return mixture.emitError("method=subset does not know routers with groups of experts");
  if (binomial(experts, count) > kMostSubsets)
    return mixture.emitError("method=subset would try ")
           << static_cast<int64_t>(std::min(binomial(experts, count), 1e18)) << " sets of " << count << " out of "
           << experts << " experts, expected at most " << static_cast<int64_t>(kMostSubsets);
  std::vector<Indices> sets;
  subsets(experts, count, sets);
  std::vector<double> errors(sets.size());
  MoeOp source = streams.differ() ? mixture : denseMixture;
  Value yielded = source.getExpert().front().getTerminator()->getOperand(0);
  for (size_t chunk = 0; chunk < streams.chunks(); ++chunk) {
    MatrixF target, x;
    if (failed(streams.wantedOutput(chunk, mixture.getResult(), denseMixture.getResult(), mixture.getInput(),
                            denseMixture.getInput(), target, x)))
      return failure();
    std::vector<MatrixF> outputs(experts); // of every expert for every token
    for (int64_t expert = 0; expert < experts; ++expert)
      if (failed(streams.forward().evaluateExpert(source, expert, yielded, x, outputs[expert])))
        return failure();
    for (size_t set = 0; set < sets.size(); ++set) {
      std::vector<ExpertTokens> tokens;
      if (failed(streams.forward().route(source, x, tokens, sets[set])))
        return failure();
      MatrixF missing = target;
      for (size_t i = 0; i < sets[set].size(); ++i)
        for (size_t token = 0; token < tokens[i].rows.size(); ++token)
          missing.row(tokens[i].rows[token]) -=
              outputs[sets[set][i]].row(tokens[i].rows[token]) * tokens[i].gates[token];
      errors[set] += missing.cast<double>().squaredNorm();
    }
  }
  kept = sets[std::min_element(errors.begin(), errors.end()) - errors.begin()];
  return success();
}

} // namespace

FailureOr<Indices> chooseExperts(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count,
                                 StringRef name) {
  MoeOp mixture = units.mixture;
  const ExpertCriterion &criterion = expertCriterionOf(prune.options.experts);
  const int64_t before = mixture.getNumExperts(), groups = mixture.getRouting().getNGroup(), size = before / groups;
  Indices kept;
  if (criterion.comparesSets() && count < before) {
    if (failed(chooseSubset(prune.streams, units, dense, count, kept)))
      return failure();
    return kept;
  }
  std::vector<double> scores(before);
  if (criterion.readsText() && count < before) {
    MixtureSums sums;
    if (failed(prune.streams.statistics()
                   ? storedMixture(prune.streams, units, name, sums)
                   : measureMixture(prune.streams, units, dense, /*equations=*/false, /*outputs=*/true, sums)))
      return failure();
    for (int64_t expert = 0; expert < before; ++expert)
      scores[expert] = criterion.score(sums.experts[expert]);
  }
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t expert : keepLargest(ArrayRef<double>(scores).slice(group * size, size), count / groups))
      kept.push_back(group * size + expert);
  return kept;
}

} // namespace xfmr
