// The kernels of mixtures: routing by the witness, plans by their definition, products of each entry by themselves.
#include "passes/witness/CaseBuilder.h"
#include "passes/witness/Cases.h"
#include "passes/witness/Formulas.h"
#include "passes/witness/Plan.h"
#include "reference/ops/Linear.h"
#include "reference/ops/Moe.h"
#include "reference/ops/Norm.h"
#include <algorithm>
#include <cmath>

using namespace xfmr;
using namespace xfmr::witness;
using codegen::paddedWidth;

namespace {

constexpr double kTolerance = 1e-5;
constexpr uint32_t kRows = 9, kExperts = 3, kTopK = 2, kColumns = 44, kOutputs = 70;

/// The choices of each row: one expert gets more than a tile of eight, one few.
std::vector<uint32_t> someIds() {
  std::vector<uint32_t> ids;
  for (uint32_t row = 0; row < kRows; ++row) {
    ids.push_back(row % 4 == 3 ? 2 : 0);
    ids.push_back(row % 4 == 3 ? 0 : 1 + row % 2);
  }
  return ids;
}

/// Powers of two: an x times its weight is exact in f16.
std::vector<double> someWeights(uint32_t rows = kRows) {
  std::vector<double> weights;
  for (uint32_t entry = 0; entry < rows * kTopK; ++entry)
    weights.push_back(1.0 / (1 << entry % 3));
  return weights;
}

/// Row `row` of x, times `factor`, by rows expert * n … of w.
std::vector<double> product(const Tensor &x, int64_t row, const Tensor &w, uint32_t expert, uint32_t n, double factor) {
  std::vector<double> sums(n);
  for (uint32_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < x.columns(); ++c)
      sums[i] += factor * x.row(row)[c] * w.row(int64_t(expert) * n + i)[c];
  return sums;
}

codegen::MoePlanLayout layoutOf(uint32_t tileRows, uint32_t experts = kExperts, uint32_t rows = kRows) {
  codegen::MoePlanLayout layout;
  layout.experts = experts, layout.topK = kTopK, layout.maxRows = rows + 2, layout.tileRows = tileRows;
  return layout;
}

reference::Routing routingOf(const codegen::MoeRouterSpec &spec, const codegen::MoeRouterParams &p) {
  reference::Routing r;
  r.topK = spec.topK, r.score = static_cast<ScoreFunction>(spec.score);
  r.postTopK = spec.postTopK, r.norm = spec.norm, r.normEps = p.normEps, r.scale = p.scale;
  r.groups = spec.groups, r.keptGroups = spec.keptGroups, r.sumTop2 = spec.sumTop2, r.sparsemixerEps = p.mixerEps;
  return r;
}

/// Whether two logits of a row are so close that f32 sums may order them otherwise.
bool hasNearTies(const Tensor &logits) {
  for (int64_t row = 0; row < logits.rows(); ++row) {
    std::vector<double> sorted(logits.row(row), logits.row(row) + logits.columns());
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 1; i < sorted.size(); ++i)
      if (sorted[i] - sorted[i - 1] < 1e-5)
        return true;
  }
  return false;
}

} // namespace

Cases witness::casesOf(const codegen::MoeRouterSpec &spec) {
  if (!isExact(spec.weight))
    return {};
  const uint32_t rows = spec.stats || spec.spread ? 1 : 5, columns = kColumns;
  for (uint32_t attempt = 0; attempt < 16; ++attempt) {
    CaseBuilder c(spec.name(), 100 + attempt);
    codegen::MoeRouterParams p;
    p.k = columns, p.maxRows = rows == 1 ? 1 : rows + 2;
    p.x = {paddedWidth(columns) + 8, 4}, p.normed = {paddedWidth(columns) + 16, 8}, p.eps = 1e-5f;
    p.normEps = spec.norm ? 1e-20f : 0.0f, p.scale = 1.5f, p.mixerEps = 0.01f;
    c.launch(spec, p);
    c.state(3, rows);
    Tensor x = c.rows(rows, columns, p.x);
    const Tensor w = c.weight(spec.experts, columns, spec.weight);
    c.out(uint64_t(rows + 2) * spec.topK);
    c.out(uint64_t(rows + 2) * spec.topK);
    Tensor bias, selection;
    if (spec.routerBias)
      bias = c.vector(spec.experts);
    if (spec.selectionBias)
      selection = c.vector(spec.experts);
    if (spec.rmsNorm) {
      x = reference::rmsNorm(x, c.vector(columns), p.eps, spec.unitOffset);
      c.out(p.normed.offset + uint64_t(rows + 2) * p.normed.stride);
      c.expectRows(c.lastBinding(), p.normed, x, 2e-5);
    }
    if (spec.stats)
      c.words(std::vector<uint32_t>(2 * spec.experts));
    const uint32_t stats = c.lastBinding();
    if (spec.spread) {
      c.out(spec.experts);
      c.words({0});
      c.expectWords(c.lastBinding(), 0, {0});
    }
    const Tensor logits = reference::linear(x, w, spec.routerBias ? &bias : nullptr);
    if (spec.rmsNorm && hasNearTies(logits))
      continue;
    const reference::Routed routed =
        reference::route(logits, routingOf(spec, p), spec.selectionBias ? &selection : nullptr);
    c.expectWords(3, 0, {routed.ids.values.begin(), routed.ids.values.end()});
    c.expect(4, 0, routed.weights.values.data(), int64_t(routed.weights.values.size()), kTolerance);
    if (spec.stats) {
      std::vector<uint32_t> counts(spec.experts);
      std::vector<double> sums(spec.experts);
      for (size_t slot = 0; slot < routed.ids.values.size(); ++slot) {
        const auto expert = static_cast<size_t>(routed.ids.values[slot]);
        ++counts[expert];
        sums[expert] += routed.weights.values[slot];
      }
      c.expectWords(stats, 0, counts);
      c.expect(stats, spec.experts, sums.data(), spec.experts, kTolerance);
    }
    return only(c);
  }
  return {};
}

Cases witness::casesOf(const codegen::MoePlanSpec &spec) {
  if (spec.drop)
    return {}; // what it keeps from one run to the next is tested by test/moe alone
  CaseBuilder c(spec.name(), 11);
  codegen::MoePlanParams p;
  p.layout = layoutOf(8), p.xGroups0 = 3, p.xGroups1 = 5;
  const std::vector<uint32_t> ids = someIds();
  const std::vector<double> weights = someWeights();
  c.launch(spec, p);
  c.state(0, kRows);
  c.words(ids);
  c.out(p.layout.words());
  const Plan plan = planOf(p.layout, ids, p.xGroups0, p.xGroups1);
  for (const auto &[at, words] : plan.parts)
    c.expectWords(2, at, words);
  if (spec.stats) {
    c.floats(weights);
    c.words(std::vector<uint32_t>(2 * kExperts));
    std::vector<double> sums(kExperts);
    for (size_t entry = 0; entry < ids.size(); ++entry)
      sums[ids[entry]] += weights[entry];
    c.expectWords(c.lastBinding(), 0, plan.counts);
    c.expect(c.lastBinding(), kExperts, sums.data(), kExperts, kTolerance);
  }
  return only(c);
}

/// Of the experts in `ids`, two of each row; results of one row in `step` and the last.
static selftest::CaseT moeGemmCase(const codegen::MoeGemmSpec &spec, uint32_t seed, uint32_t experts,
                                   const std::vector<uint32_t> &ids, uint32_t step) {
  CaseBuilder c(spec.name(), seed);
  const bool first = spec.product == codegen::MoeProduct::First;
  const uint32_t entries = static_cast<uint32_t>(ids.size()), rows = entries / kTopK;
  const uint32_t width = spec.epilogue.glu ? kOutputs / 2 : kOutputs;
  codegen::MoeGemmParams p;
  p.layout = layoutOf(spec.tileRows, experts, rows);
  p.n = kOutputs, p.k = kColumns, p.gridAt = first ? p.layout.grid0() : p.layout.grid1();
  p.x = {paddedWidth(kColumns) + 8, 8}, p.out = {paddedWidth(width) + 16, 4};
  p.limit = 0.5f;
  c.launch(spec, p);
  const std::vector<double> weights = someWeights(rows);
  const Plan plan = planOf(p.layout, ids, p.grid(spec)[0], p.grid(spec)[0]);
  c.state(0, rows);
  const Tensor x = c.rows(first ? rows : entries, kColumns, p.x),
               w = c.weight(int64_t(experts) * kOutputs, kColumns, spec.weight);
  c.words(plan.words(p.layout));
  c.out(p.out.offset + uint64_t(p.layout.maxEntries()) * p.out.stride);
  const uint32_t out = c.lastBinding();
  if (spec.weighted)
    c.floats(weights);
  Tensor bias;
  if (spec.epilogue.bias)
    bias = c.stackedVectors(experts, kOutputs);
  for (uint32_t place = 0; place < entries; ++place) {
    const uint32_t entry = plan.sorted[place], expert = ids[entry], outRow = first ? place : entry;
    if (outRow % step != 0 && outRow != entries - 1)
      continue;
    const double weight = spec.weighted ? weights[entry] : 1;
    const std::vector<double> row =
        finish(product(x, first ? entry / kTopK : place, w, expert, kOutputs, first ? weight : 1), spec.epilogue,
               spec.epilogue.bias ? bias.row(expert) : nullptr, p.alpha, p.limit);
    Tensor y({1, width});
    for (uint32_t i = 0; i < width; ++i)
      y.values[i] = row[i] * (first ? 1 : weight);
    c.expectRows(out, {p.out.stride, p.out.offset + outRow * p.out.stride}, y, kTolerance);
  }
  return c.take();
}

Cases witness::casesOf(const codegen::MoeGemmSpec &spec) {
  if (!isExact(spec.weight) || spec.tileRows > 64)
    return {};
  Cases made;
  made.push_back(moeGemmCase(spec, 12, kExperts, someIds(), 8));
  if (spec.weight == codegen::WeightType::F16) { // a tile an expert: enough for matrix units to take wide ones
    std::vector<uint32_t> ids(96);
    for (uint32_t entry = 0; entry < ids.size(); ++entry)
      ids[entry] = (entry * 5) % 96;
    made.push_back(moeGemmCase(spec, 22, 96, ids, 48));
  }
  return made;
}

Cases witness::casesOf(const codegen::MoeGemvSpec &spec) {
  if (!isExact(spec.weight))
    return {};
  CaseBuilder c(spec.name(), 13);
  const bool first = spec.product == codegen::MoeProduct::First;
  const uint32_t rows = 2, entries = rows * kTopK, width = spec.epilogue.glu ? kOutputs / 2 : kOutputs;
  codegen::MoeGemvParams p;
  p.n = kOutputs, p.k = kColumns, p.topK = kTopK, p.maxRows = rows + 1;
  p.x = {paddedWidth(kColumns) + 8, 8}, p.out = {paddedWidth(width) + 16, 4};
  p.terms.shared = {paddedWidth(width), 0}, p.terms.gate = {8, 4}, p.terms.residual = {paddedWidth(width) + 8, 12};
  p.limit = 0.5f;
  c.launch(spec, p);
  const std::vector<uint32_t> ids = {0, 2, 1, 0};
  const std::vector<double> weights = someWeights();
  c.state(0, rows);
  const Tensor x = c.rows(first ? rows : entries, kColumns, p.x),
               w = c.weight(kExperts * kOutputs, kColumns, spec.weight);
  c.words(ids);
  c.out(p.out.offset + uint64_t(p.maxRows) * (first ? kTopK : 1) * p.out.stride);
  const uint32_t out = c.lastBinding();
  if (spec.weighted)
    c.floats({weights.begin(), weights.begin() + entries});
  Tensor bias, shared, gate, residual;
  if (spec.epilogue.bias)
    bias = c.stackedVectors(kExperts, kOutputs);
  if (spec.terms.shared)
    shared = c.rows(rows, width, p.terms.shared);
  if (spec.terms.sharedGate)
    gate = c.rows(rows, 1, p.terms.gate);
  if (spec.terms.residual)
    residual = c.rows(rows, width, p.terms.residual);
  Tensor y({first ? entries : rows, width});
  for (uint32_t entry = 0; entry < entries; ++entry) {
    const double weight = spec.weighted ? weights[entry] : 1;
    const std::vector<double> row =
        finish(product(x, first ? entry / kTopK : entry, w, ids[entry], kOutputs, first ? weight : 1), spec.epilogue,
               spec.epilogue.bias ? bias.row(ids[entry]) : nullptr, p.alpha, p.limit);
    for (uint32_t i = 0; i < width; ++i)
      y.row(first ? entry : entry / kTopK)[i] += row[i] * (first ? 1 : weight);
  }
  addTerms(y, spec.terms, shared, gate, residual);
  c.expectRows(out, p.out, y, kTolerance);
  return only(c);
}

Cases witness::casesOf(const codegen::MoeCombineSpec &spec) {
  CaseBuilder c(spec.name(), 14);
  const uint32_t rows = 3, width = kColumns;
  codegen::MoeCombineParams p;
  p.width = width, p.topK = kTopK, p.maxRows = rows + 1;
  p.parts = {paddedWidth(width) + 8, 8}, p.out = {paddedWidth(width) + 16, 4};
  p.terms.shared = {paddedWidth(width), 0}, p.terms.gate = {8, 4}, p.terms.residual = {paddedWidth(width) + 8, 12};
  c.launch(spec, p);
  c.state(0, rows);
  const Tensor parts = c.rows(rows * kTopK, width, p.parts);
  c.out(p.out.offset + uint64_t(p.maxRows) * p.out.stride);
  const uint32_t out = c.lastBinding();
  const std::vector<uint32_t> ids = {0, codegen::kDroppedExpert, 2,
                                     1, codegen::kDroppedExpert, codegen::kDroppedExpert};
  if (spec.drop)
    c.words(ids);
  Tensor shared, gate, residual, y({rows, width});
  if (spec.terms.shared)
    shared = c.rows(rows, width, p.terms.shared);
  if (spec.terms.sharedGate)
    gate = c.rows(rows, 1, p.terms.gate);
  if (spec.terms.residual)
    residual = c.rows(rows, width, p.terms.residual);
  for (uint32_t entry = 0; entry < rows * kTopK; ++entry)
    if (!spec.drop || ids[entry] != codegen::kDroppedExpert)
      for (uint32_t i = 0; i < width; ++i)
        y.row(entry / kTopK)[i] += parts.row(entry)[i];
  addTerms(y, spec.terms, shared, gate, residual);
  c.expectRows(out, p.out, y, kTolerance);
  return only(c);
}
