// The routing rules of xfmr.moe (dialect/ops/Moe.td, steps 1 to 8) for Forward.
#include "passes/calibration/Forward.h"

#include "passes/calibration/Products.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;

namespace xfmr {
namespace {

void score(ScoreFunction function, std::vector<float> &z) {
  switch (function) {
  case ScoreFunction::softmax: {
    const float most = *std::max_element(z.begin(), z.end());
    float sum = 0;
    for (float &value : z)
      sum += value = std::exp(value - most);
    for (float &value : z)
      value /= sum;
    return;
  }
  case ScoreFunction::sigmoid:
    for (float &value : z)
      value = 1.0f / (1.0f + std::exp(-value));
    return;
  case ScoreFunction::sqrt_softplus:
    for (float &value : z)
      value = std::sqrt(value > 20 ? value : std::log1p(std::exp(value)));
    return;
  case ScoreFunction::none:
  case ScoreFunction::sparsemixer: return;
  }
}

// Experts in falling order of value, the lowest index first on a tie.
std::vector<int64_t> order(const std::vector<float> &values) {
  std::vector<int64_t> indices(values.size());
  std::iota(indices.begin(), indices.end(), 0);
  std::stable_sort(indices.begin(), indices.end(), [&](int64_t a, int64_t b) { return values[a] > values[b]; });
  return indices;
}

// Twice the best logit that is left, and its softmax share among those left that are near it.
void sparsemixer(const std::vector<float> &z, float eps, std::vector<int64_t> &chosen, std::vector<float> &w) {
  chosen = order(z);
  chosen.resize(2);
  for (size_t step = 0; step < chosen.size(); ++step) {
    const float most = z[chosen[step]];
    float sum = 0;
    for (size_t expert = 0; expert < z.size(); ++expert)
      if (!(step && static_cast<int64_t>(expert) == chosen[0]) &&
          !((most - z[expert]) / std::max(std::abs(z[expert]), most) > 2 * eps))
        sum += std::exp(z[expert] - most);
    w.push_back(1 / sum);
  }
}

// Scores of experts outside the best groups become the least possible.
void keepBestGroups(RoutingAttr routing, std::vector<float> &scores) {
  const int64_t groups = routing.getNGroup(), size = static_cast<int64_t>(scores.size()) / groups;
  std::vector<float> best(groups);
  for (int64_t group = 0; group < groups; ++group) {
    std::vector<float> inside(scores.begin() + group * size, scores.begin() + (group + 1) * size);
    std::sort(inside.rbegin(), inside.rend());
    best[group] = inside[0] + (routing.getGroupScore() == GroupScore::sum_top2 ? inside[1] : 0.0f);
  }
  const std::vector<int64_t> ranked = order(best);
  for (int64_t i = routing.getTopkGroup(); i < groups; ++i)
    std::fill_n(scores.begin() + ranked[i] * size, size, -std::numeric_limits<float>::infinity());
}

} // namespace

LogicalResult Forward::route(MoeOp mixture, const MatrixF &x, std::vector<ExpertTokens> &out,
                             llvm::ArrayRef<int64_t> subset) {
  RoutingAttr routing = mixture.getRouting();
  if (routing.getOverflow() == Overflow::drop)
    return mixture.emitError("calibration does not know routers with a capacity");
  const int64_t present = mixture.getNumExperts(), topK = routing.getTopK();
  llvm::SmallVector<int64_t> all(subset.begin(), subset.end());
  if (subset.empty()) {
    all.resize(present);
    std::iota(all.begin(), all.end(), 0);
  }
  const int64_t experts = all.size();
  if (!weight(mixture.getRouter()) || (mixture.getRouterBias() && !weight(mixture.getRouterBias())) ||
      (mixture.getSelectionBias() && !weight(mixture.getSelectionBias())))
    return failure();
  MatrixF logits;
  multiplyTransposed(x, *weight(mixture.getRouter()), logits);
  if (mixture.getRouterBias())
    logits.rowwise() += weight(mixture.getRouterBias())->col(0).transpose();
  const MatrixF *selection = mixture.getSelectionBias() ? weight(mixture.getSelectionBias()) : nullptr;
  out.assign(experts, {});
  const bool before = routing.getScoreAt() == ScoreAt::pre_topk;
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    std::vector<float> p(experts);
    for (int64_t i = 0; i < experts; ++i)
      p[i] = logits(row, all[i]);
    if (before)
      score(routing.getScore(), p);
    std::vector<float> s = p;
    if (selection)
      for (int64_t expert = 0; expert < experts; ++expert)
        s[expert] += (*selection)(all[expert], 0);
    if (routing.getNGroup() > 1)
      keepBestGroups(routing, s);
    std::vector<int64_t> chosen;
    std::vector<float> w;
    if (routing.getScore() == ScoreFunction::sparsemixer) {
      sparsemixer(p, static_cast<float>(routing.getSparsemixerEps().convertToDouble()), chosen, w);
    } else {
      chosen = order(s);
      chosen.resize(topK);
      for (int64_t expert : chosen)
        w.push_back(p[expert]);
    }
    if (!before)
      score(routing.getScore(), w);
    float divisor = 1;
    if (routing.getNormTopkProb())
      divisor = std::accumulate(w.begin(), w.end(), 0.0f) + routing.getNormEps().convertToDouble();
    for (int64_t slot = 0; slot < topK; ++slot) {
      out[chosen[slot]].rows.push_back(row);
      out[chosen[slot]].gates.push_back(w[slot] / divisor * static_cast<float>(routing.getScale().convertToDouble()));
    }
  }
  return success();
}

LogicalResult Forward::mix(MoeOp mixture, const MatrixF &x, MatrixF &y) {
  std::vector<ExpertTokens> tokens;
  if (failed(route(mixture, x, tokens)))
    return failure();
  const bool onInput = mixture.getRouting().getWeightOnInput();
  y = MatrixF::Zero(x.rows(), x.cols());
  for (auto [expert, given] : llvm::enumerate(tokens)) {
    if (given.rows.empty())
      continue;
    MatrixF batch(given.rows.size(), x.cols()), result;
    for (size_t i = 0; i < given.rows.size(); ++i)
      batch.row(i) = x.row(given.rows[i]) * (onInput ? given.gates[i] : 1.0f);
    Value yielded = mixture.getExpert().front().getTerminator()->getOperand(0);
    if (failed(evaluateExpert(mixture, expert, yielded, std::move(batch), result)))
      return failure();
    for (size_t i = 0; i < given.rows.size(); ++i)
      y.row(given.rows[i]) += result.row(i) * (onInput ? 1.0f : given.gates[i]);
  }
  return success();
}

} // namespace xfmr
