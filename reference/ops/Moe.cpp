// See Moe.h.
#include "reference/ops/Moe.h"
#include "reference/ops/Linear.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace xfmr::reference {

Routing::Routing(RoutingAttr a)
    : topK(a.getTopK()), score(a.getScore()), postTopK(a.getScoreAt() == ScoreAt::post_topk),
      norm(a.getNormTopkProb()), normEps(a.getNormEps().convertToDouble()),
      scale(a.getScale().convertToDouble()), groups(a.getNGroup()), keptGroups(a.getTopkGroup()),
      sumTop2(a.getGroupScore() == GroupScore::sum_top2), drop(a.getOverflow() == Overflow::drop),
      capacity(a.getCapacity()), capacityFactor(a.getCapacityFactor().convertToDouble()),
      sparsemixerEps(a.getSparsemixerEps().convertToDouble()) {}

// Indices of `values`, largest first; equal values in index order, NaN at the end.
static std::vector<int64_t> descending(const std::vector<double> &values) {
  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    if (std::isnan(values[a]) || std::isnan(values[b]))
      return !std::isnan(values[a]) && std::isnan(values[b]);
    return values[a] > values[b];
  });
  return order;
}

// A logit as scores see it: NaN and infinities become the ends of the range, so weights stay finite.
static double finite(double z) {
  return std::isnan(z) ? -3e38 : std::clamp(z, -3e38, 3e38);
}

// score(z) of every entry.
static std::vector<double> scores(ScoreFunction function, std::vector<double> z) {
  for (double &value : z)
    value = finite(value);
  if (function == ScoreFunction::softmax) {
    const double largest = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (double &value : z)
      sum += value = std::exp(value - largest);
    for (double &value : z)
      value /= sum;
    return z;
  }
  for (double &value : z) {
    if (function == ScoreFunction::sigmoid)
      value = 1 / (1 + std::exp(-value));
    if (function == ScoreFunction::sqrt_softplus)
      value = std::sqrt(value > 20 ? value : std::log1p(std::exp(value)));
  }
  return z;
}

// Twice: the largest remaining logit, and its share among the remaining ones near it.
static void sparsemixer(const std::vector<double> &z, double eps, std::vector<int64_t> &chosen,
                        std::vector<double> &weights) {
  chosen = descending(z);
  chosen.resize(2);
  for (size_t slot = 0; slot < 2; ++slot) {
    const double m = finite(z[chosen[slot]]);
    double sum = 0;
    for (size_t j = 0; j < z.size(); ++j) {
      const bool taken = slot == 1 && static_cast<int64_t>(j) == chosen[0];
      const double other = finite(z[j]);
      if (!taken && !((m - other) / std::max(std::abs(other), m) > 2 * eps))
        sum += std::exp(other - m);
    }
    weights.push_back(1 / sum);
  }
}

// The experts of the best groups keep their value, the others can no longer be chosen.
static std::vector<bool> keptExperts(const std::vector<double> &values, const Routing &routing) {
  const int64_t size = static_cast<int64_t>(values.size()) / routing.groups;
  std::vector<double> best;
  for (int64_t group = 0; group < routing.groups; ++group) {
    std::vector<double> members(values.begin() + group * size, values.begin() + (group + 1) * size);
    const std::vector<int64_t> order = descending(members);
    if (routing.sumTop2)
      best.push_back(finite(members[order[0]]) + finite(members[order[1]]));
    else
      best.push_back(members[order[0]]);
  }
  std::vector<bool> kept(values.size());
  const std::vector<int64_t> order = descending(best);
  for (int64_t i = 0; i < routing.keptGroups; ++i)
    std::fill_n(kept.begin() + order[i] * size, size, true);
  return kept;
}

static void routeToken(const std::vector<double> &z, const Routing &routing, const Tensor *bias,
                       std::vector<int64_t> &chosen, std::vector<double> &weights) {
  if (routing.score == ScoreFunction::sparsemixer) {
    sparsemixer(z, routing.sparsemixerEps, chosen, weights);
  } else {
    std::vector<double> p = routing.postTopK ? z : scores(routing.score, z);
    // Scores rise with the logits; where nothing else joins them the logits decide.
    std::vector<double> s = bias || (routing.groups > 1 && routing.sumTop2) ? p : z;
    for (size_t e = 0; e < s.size(); ++e) {
      if (bias)
        s[e] += bias->values[e];
      if (std::isnan(z[e]))
        s[e] = NAN;
    }
    std::vector<bool> kept(s.size(), true);
    if (routing.groups > 1)
      kept = keptExperts(s, routing);
    for (int64_t e : descending(s))
      if (kept[e] && static_cast<int64_t>(chosen.size()) < routing.topK)
        chosen.push_back(e);
    for (int64_t e : chosen)
      weights.push_back(p[e]);
    if (routing.postTopK)
      weights = scores(routing.score, weights);
  }
  if (routing.norm) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0) + routing.normEps;
    for (double &w : weights)
      w = sum == 0 ? 0 : w / sum;
  }
  for (double &w : weights)
    w *= routing.scale;
}

Routed route(const Tensor &logits, const Routing &routing, const Tensor *bias,
             std::vector<int64_t> *taken) {
  const int64_t tokens = logits.rows(), experts = logits.columns(), k = routing.topK;
  Routed routed{Tensor({tokens, k}), Tensor({tokens, k})};
  std::vector<int64_t> used(experts);
  if (taken && !taken->empty())
    used = *taken;
  int64_t capacity = routing.capacity;
  if (routing.drop && capacity == 0) { // of all tokens so far
    const int64_t slots = std::accumulate(used.begin(), used.end(), tokens * k);
    capacity = static_cast<int64_t>(std::ceil(routing.capacityFactor * slots / experts * (1 - 1e-6)));
  }
  for (int64_t t = 0; t < tokens; ++t) {
    std::vector<int64_t> chosen;
    std::vector<double> weights;
    routeToken({logits.row(t), logits.row(t) + experts}, routing, bias, chosen, weights);
    for (int64_t slot = 0; slot < k; ++slot) {
      const bool full = routing.drop && used[chosen[slot]]++ >= capacity;
      routed.ids.row(t)[slot] = full ? -1 : static_cast<double>(chosen[slot]);
      routed.weights.row(t)[slot] = full ? 0 : weights[slot];
    }
  }
  if (taken)
    *taken = used;
  return routed;
}

static TensorRef slice(const Tensor &stacked, int64_t expert) {
  Tensor one({stacked.shape.begin() + 1, stacked.shape.end()});
  std::copy_n(stacked.values.begin() + expert * one.values.size(), one.values.size(), one.values.begin());
  return share(std::move(one));
}

Status evaluate(MoeOp op, Evaluation &evaluation) {
  const Tensor &x = evaluation.get(op.getInput());
  const Routing routing(op.getRouting());
  Tensor logits = linear(x, evaluation.get(op.getRouter()), evaluation.find(op.getRouterBias()));

  // Capacities count over the whole sequence, so the counts are kept from one run to the next.
  std::vector<Tensor> &kept = evaluation.kept(op);
  std::vector<int64_t> taken;
  if (!kept.empty())
    taken.assign(kept[0].values.begin(), kept[0].values.end());
  const Routed routed = route(logits, routing, evaluation.find(op.getSelectionBias()), &taken);
  kept = {Tensor({static_cast<int64_t>(taken.size())}, {taken.begin(), taken.end()})};
  evaluation.observeInner(op, "ids", routed.ids);
  evaluation.observeInner(op, "weights", routed.weights);

  const int64_t k = routing.topK, width = x.columns();
  Tensor parts({x.rows() * k, width}); // of each slot, times its weight
  for (int64_t expert = 0; expert < logits.columns(); ++expert) {
    std::vector<int64_t> entries;
    for (int64_t entry = 0; entry < x.rows() * k; ++entry)
      if (routed.ids.values[entry] == static_cast<double>(expert))
        entries.push_back(entry);
    if (entries.empty())
      continue;
    Tensor batch({static_cast<int64_t>(entries.size()), width});
    for (size_t i = 0; i < entries.size(); ++i)
      for (int64_t c = 0; c < width; ++c)
        batch.row(i)[c] = x.row(entries[i] / k)[c] *
                          (op.getRouting().getWeightOnInput() ? routed.weights.values[entries[i]] : 1.0);
    std::vector<TensorRef> arguments = {share(std::move(batch))}, results;
    for (mlir::Value stacked : op.getExperts())
      arguments.push_back(slice(evaluation.get(stacked), expert));
    if (Status status = evaluation.runRegion(op.getExpert(), arguments, /*inherit=*/false, results);
        status.failed())
      return status;
    for (size_t i = 0; i < entries.size(); ++i)
      for (int64_t c = 0; c < width; ++c)
        parts.row(entries[i])[c] = results.front()->row(i)[c] *
                                   (op.getRouting().getWeightOnInput() ? 1.0 : routed.weights.values[entries[i]]);
  }
  Tensor y({x.rows(), width});
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t slot = 0; slot < k; ++slot)
      for (int64_t c = 0; c < width; ++c)
        y.row(t)[c] += parts.row(t * k + slot)[c];
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

} // namespace xfmr::reference
