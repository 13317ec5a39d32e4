// The formulas of Cost.h, a function a family.
#include "passes/codegen/Cost.h"
#include "passes/codegen/Choice.h"
#include "passes/codegen/Work.h"
#include <algorithm>
#include <cmath>

namespace xfmr::codegen {
namespace {

constexpr double kFloat = 4; // bytes

double padded(uint32_t width) { return paddedWidth(width); }
double matrixBytes(WeightType type, uint32_t n, uint32_t k) { return padded(n) * static_cast<double>(rowBytes(type, k)); }
double ceilDiv(double a, double b) { return std::ceil(a / b); }
double functionIf(bool present) { return present ? kFunctionFlops : 0; }

// Outputs, and flops of each, of what follows a sum.
struct After {
  double outputs, flops;
};
After after(const Epilogue &e, uint32_t n) {
  const double flops = (e.bias ? (e.glu ? 2 : 1) : 0) + functionIf(e.activation != Activation::None) + (e.glu ? 1 : 0) +
                       (e.scale ? 1 : 0) + functionIf(e.softcap) + (e.residual ? 1 : 0);
  return {padded(e.glu ? n / 2 : n), flops};
}
After after(const MoeEpilogue &e, uint32_t n) {
  const double flops = (e.bias ? (e.glu ? 2 : 1) : 0) + functionIf(e.clamped || e.activation != Activation::None) +
                       (e.glu ? 1 : 0) + (e.clamped ? 4 : 0);
  return {padded(e.glu ? n / 2 : n), flops};
}

double termRows(const MoeTerms &terms) { return (terms.shared ? 1 : 0) + (terms.residual ? 1 : 0); }

double multiplyAdds(const DispatchWork &work) { return static_cast<double>(work.rowOperations); } // of a row, two operations each

// Rows of a product: flops, and floats of x and out. Work.h counts the multiply-adds of a row.
Work ofRows(double rows, double multiplyAdds, uint32_t k, After end, double outputRows = 1) {
  return {rows * (multiplyAdds + end.outputs * end.flops), 0, rows * kFloat * (padded(k) + end.outputs * outputRows)};
}

// Multiply-adds of a product of codes are not flops where the machine multiplies bytes.
void countCodes(bool codes, double rows, double multiplyAdds, const Machine &machine, Work &work) {
  if (!codes || machine.byteOps == 0)
    return;
  work.flops -= rows * multiplyAdds;
  work.byteOps += rows * multiplyAdds;
}

// The share of the chosen experts that a part holds.
double shareOf(const MoePart &part, double experts) { return std::min(double(part.experts), experts) / experts; }

double keysSeen(uint32_t window, uint32_t maxContext, const Load &load) {
  const double most = std::min(load.keys, double(maxContext));
  return window ? std::min(most, double(window)) : most;
}

// One row that sees `keys` positions; without reading the cache.
Work attentionRow(const DispatchWork &work, uint32_t numHeads, uint32_t headDim, bool softcap, double keys) {
  const double functions = numHeads * (kFunctionFlops + functionIf(softcap));
  return {keys * (static_cast<double>(work.keyOperations) + functions), 0, 2 * kFloat * numHeads * headDim};
}
double partialBytes(uint32_t numHeads, uint32_t headDim, double splits) {
  return numHeads * splits * (padded(headDim) + 8) * kFloat;
}

} // namespace

Work &Work::operator+=(const Work &other) {
  flops += other.flops;
  weightBytes += other.weightBytes;
  activationBytes += other.activationBytes;
  byteOps += other.byteOps;
  return *this;
}

Work Cost::total() const {
  Work work = once;
  return work += ofTokens;
}

double secondsOf(const Work &work, const Machine &machine) {
  const double bytes = work.byteOps > 0 ? work.byteOps / machine.byteOps : 0;
  return machine.start + std::max(work.flops / machine.flops + bytes, work.bytes() / machine.bytes);
}

Cost costOf(const GemvSpec &spec, const GemvParams &p, const Machine &machine, const Load &) {
  Cost cost;
  const After end = after(spec.epilogue, p.n);
  cost.once.weightBytes = matrixBytes(spec.weight, p.n, p.k) + (spec.epilogue.bias ? kFloat * p.n : 0);
  cost.ofTokens = ofRows(1, multiplyAdds(workOf(spec, p)), p.k, end, spec.epilogue.residual ? 2 : 1);
  countCodes(spec.codes, 1, multiplyAdds(workOf(spec, p)), machine, cost.ofTokens);
  if (spec.rmsNorm) {
    cost.once.weightBytes += kFloat * p.k;
    cost.ofTokens.flops += 4.0 * p.k;
  }
  return cost;
}

Cost costOf(const GemmSpec &spec, const GemmParams &p, const Machine &machine, const Load &load) {
  Cost cost;
  const After end = after(spec.epilogue, p.n);
  const double rows = std::min(load.tokens, double(p.maxRows)), stored = matrixBytes(spec.weight, p.n, p.k);
  cost.once.weightBytes = stored + (spec.epilogue.bias ? kFloat * p.n : 0);
  cost.ofTokens = ofRows(rows, multiplyAdds(workOf(spec, p)), p.k, end, spec.epilogue.residual ? 2 : 1);
  countCodes(spec.codes, rows, multiplyAdds(workOf(spec, p)), machine, cost.ofTokens);
  cost.ofTokens.weightBytes = stored * std::max(0.0, ceilDiv(rows, machine.rowsAWeight) - 1);
  return cost;
}

Cost costOf(const HeadProductSpec &spec, const HeadProductParams &p, const Machine &machine, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)), stored = p.numHeads * matrixBytes(spec.weight, p.n, p.k);
  cost.once.weightBytes = stored;
  cost.ofTokens.flops = rows * multiplyAdds(workOf(spec, p));
  cost.ofTokens.activationBytes = rows * kFloat * p.numHeads * (p.k + p.n + 2.0 * p.copied);
  cost.ofTokens.weightBytes = stored * std::max(0.0, ceilDiv(rows, machine.rowsAWeight) - 1);
  return cost;
}

Cost costOf(const LatentExpandSpec &spec, const LatentExpandParams &p, const Machine &machine, const Load &load) {
  Cost cost;
  const double keys = keysSeen(0, p.maxContext, load), stored = p.numHeads * matrixBytes(spec.weight, p.outputs(), p.latentDim);
  cost.once.weightBytes = stored;
  cost.ofTokens.flops = keys * 2.0 * p.numHeads * p.outputs() * p.latentDim;
  cost.ofTokens.activationBytes = keys * (static_cast<double>(cacheHeadBytes(spec.cache, p.rowDim())) +
                                          2.0 * p.numHeads * static_cast<double>(cacheHeadBytes(spec.heads, p.headDim)));
  cost.ofTokens.weightBytes = stored * std::max(0.0, ceilDiv(keys, machine.rowsAWeight) - 1);
  return cost;
}

Cost costOf(const EmbeddingSpec &spec, const EmbeddingParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)) * p.tableRows / std::max(p.vocab, p.tableRows);
  cost.ofTokens.flops = spec.positions ? rows * p.width : 0;
  cost.ofTokens.weightBytes = rows * static_cast<double>(rowBytes(spec.weight, p.width)) * (spec.positions ? 2 : 1);
  cost.ofTokens.activationBytes = rows * kFloat * (padded(p.width) + 1);
  return cost;
}

Cost costOf(const NormSpec &spec, const NormParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double rows = spec.lastRow ? 1 : std::min(load.tokens, double(p.maxRows));
  const double numbers = rows * p.width * p.groups;
  cost.once.weightBytes = kFloat * p.width * (spec.bias ? 2 : 1);
  cost.ofTokens.flops = numbers * (spec.kind == NormKind::Rms ? 4 : 7);
  cost.ofTokens.activationBytes = numbers * 2 * kFloat;
  return cost;
}

Cost costOf(const ElementwiseSpec &spec, const ElementwiseParams &p, const Machine &, const Load &load) {
  Cost cost;
  const bool moves = spec.op == ElementwiseOp::Copy || spec.op == ElementwiseOp::LastRow;
  const bool isFunction = spec.op == ElementwiseOp::Activation || spec.op == ElementwiseOp::Softcap;
  const double rows = spec.op == ElementwiseOp::LastRow ? 1 : std::min(load.tokens, double(p.maxRows));
  const double operands = spec.hasB() && !spec.hasRowFactor() ? 2 : 1;
  cost.ofTokens.flops = rows * p.width * (moves ? 0 : isFunction ? kFunctionFlops : 1);
  cost.ofTokens.activationBytes = rows * padded(p.width) * kFloat * (operands + 1);
  return cost;
}

Cost costOf(const RopeCacheSpec &spec, const RopeCacheParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)), dim = p.headDim;
  cost.once.weightBytes = kFloat * dim * ((spec.qNorm ? 1 : 0) + (spec.kNorm ? 1 : 0));
  cost.ofTokens.weightBytes = spec.style == RopeStyle::None ? 0 : rows * padded(p.rotaryDim) * kFloat;
  cost.ofTokens.flops = rows * (3.0 * p.rotaryDim * (p.numHeads + p.numKvHeads) + (spec.qNorm ? 4 * dim * p.numHeads : 0) +
                                (spec.kNorm ? 4 * dim * p.numKvHeads : 0));
  const double q = spec.touchesQ() ? 2 * kFloat * p.numHeads * dim : 0;
  const double kv = (spec.latent ? 1.0 : 2.0) * p.numKvHeads * (kFloat * dim + static_cast<double>(cacheHeadBytes(spec.cache, p.headDim)));
  cost.ofTokens.activationBytes = rows * (q + kv);
  return cost;
}

Cost costOf(const AttentionPrefillSpec &spec, const AttentionPrefillParams &p, const Machine &machine, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)), keys = keysSeen(reachOf(p.window, p.chunk), p.maxContext, load);
  cost.once.weightBytes = spec.sinks ? kFloat * p.numHeads : 0;
  const DispatchWork work = workOf(spec, p);
  const Work row = attentionRow(work, p.numHeads, spec.headDim, spec.softcap, keys);
  cost.ofTokens.flops = rows * row.flops;
  cost.ofTokens.activationBytes = rows * row.activationBytes + ceilDiv(rows, machine.queriesAKey) * keys * work.keyBytes;
  return cost;
}

Cost costOf(const AttentionDecodeSpec &spec, const AttentionDecodeParams &p, const Machine &machine, const Load &load) {
  Cost cost;
  const double keys = keysSeen(reachOf(p.window, p.chunk), p.maxContext, load);
  cost.once.weightBytes = spec.sinks ? kFloat * p.numHeads : 0;
  const DispatchWork work = workOf(spec, p);
  cost.ofTokens = attentionRow(work, p.numHeads, spec.headDim, spec.softcap, keys);
  cost.ofTokens.activationBytes += keys * work.keyBytes;
  if (!spec.single) // partial results instead of the row
    cost.ofTokens.activationBytes += partialBytes(p.numHeads, spec.headDim, ceilDiv(keys, kDecodeSplit)) -
                                     kFloat * p.numHeads * spec.headDim;
  auto with = [&](const Cost &other) {
    cost.once += other.once;
    cost.ofTokens += other.ofTokens;
  };
  if (spec.combines)
    with(costOf(AttentionCombineSpec{spec.headDim}, AttentionCombineParams{p.numHeads, p.maxContext, 0, p.window, p.chunk}, machine, load));
  if (spec.caches)
    with(costOf(RopeCacheSpec{spec.cache, spec.style, spec.qNorm, spec.kNorm, spec.unitOffset},
                RopeCacheParams{p.numHeads, p.numKvHeads, spec.headDim, p.rotaryDim, p.maxContext, 1}, machine, load));
  return cost;
}

Cost costOf(const AttentionCombineSpec &spec, const AttentionCombineParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double splits = ceilDiv(keysSeen(reachOf(p.window, p.chunk), p.maxContext, load), kDecodeSplit);
  cost.once.weightBytes = spec.sinks ? kFloat * p.numHeads : 0;
  cost.ofTokens.flops = p.numHeads * splits * (2.0 * spec.headDim + kFunctionFlops);
  cost.ofTokens.activationBytes = partialBytes(p.numHeads, spec.headDim, splits) + kFloat * p.numHeads * spec.headDim;
  return cost;
}

Cost costOf(const MoeRouterSpec &spec, const MoeRouterParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)), experts = spec.experts;
  cost.once.weightBytes = matrixBytes(spec.weight, spec.experts, p.k) + (spec.routerBias ? kFloat * experts : 0) +
                          (spec.selectionBias ? kFloat * experts : 0) + (spec.rmsNorm ? kFloat * p.k : 0);
  cost.ofTokens.flops = rows * (multiplyAdds(workOf(spec, p)) + experts * kFunctionFlops + (spec.rmsNorm ? 4.0 * p.k : 0));
  cost.ofTokens.activationBytes = rows * (kFloat * padded(p.k) * (spec.rmsNorm ? 2 : 1) + 8.0 * spec.topK);
  return cost;
}

Cost costOf(const MoePlanSpec &spec, const MoePlanParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double entries = std::min(load.tokens, double(p.layout.maxRows)) * p.layout.topK;
  cost.once.activationBytes = 12.0 * p.layout.experts * (spec.stats ? 2 : 1);
  cost.ofTokens.activationBytes = 12.0 * entries;
  return cost;
}

Cost costOf(const MoeGemvSpec &spec, const MoeGemvParams &p, const Machine &machine, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)), entries = rows * p.topK;
  const After end = after(spec.epilogue, p.n);
  // A part does not know how many experts there are in all: it is priced as if it held those of every entry.
  cost.ofTokens = ofRows(entries, multiplyAdds(workOf(spec, p)) / p.topK, p.k, end);
  countCodes(spec.codes, entries, multiplyAdds(workOf(spec, p)) / p.topK, machine, cost.ofTokens);
  cost.ofTokens.weightBytes = entries * (matrixBytes(spec.weight, p.n, p.k) + (spec.epilogue.bias ? kFloat * p.n : 0));
  if (spec.product == MoeProduct::Second) { // the sum over slots is written once
    cost.ofTokens.flops += entries * end.outputs * 2;
    cost.ofTokens.activationBytes -= (entries - rows) * kFloat * end.outputs;
    cost.ofTokens.activationBytes += rows * kFloat * end.outputs * termRows(spec.terms);
  }
  return cost;
}

Cost costOf(const MoeGemmSpec &spec, const MoeGemmParams &p, const Machine &machine, const Load &load) {
  Cost cost;
  const double experts = p.layout.experts, share = shareOf(p.part, experts);
  const double entries = std::min(load.tokens, double(p.layout.maxRows)) * p.layout.topK;
  cost.ofTokens = ofRows(entries * share, multiplyAdds(workOf(spec, p)) / p.layout.topK, p.k, after(spec.epilogue, p.n));
  countCodes(spec.codes, entries * share, multiplyAdds(workOf(spec, p)) / p.layout.topK, machine, cost.ofTokens);
  cost.ofTokens.weightBytes = expertsTouched(entries, experts) * share *
                              (matrixBytes(spec.weight, p.n, p.k) + (spec.epilogue.bias ? kFloat * p.n : 0));
  return cost;
}

Cost costOf(const MoeCombineSpec &spec, const MoeCombineParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double numbers = std::min(load.tokens, double(p.maxRows)) * padded(p.width), parts = p.topK + termRows(spec.terms);
  cost.ofTokens.flops = numbers * parts;
  cost.ofTokens.activationBytes = numbers * kFloat * (parts + 1);
  return cost;
}

Cost costOf(const RowCodesSpec &spec, const RowCodesParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)) * p.rowsAToken;
  cost.ofTokens.flops = rows * p.width * 4;
  cost.ofTokens.activationBytes = rows * kFloat * (padded(p.width) + codeWords(p.width, spec.halves));
  return cost;
}

Cost costOf(const RowPairsSpec &, const RowPairsParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows)) * p.rowsAToken;
  cost.ofTokens.flops = rows * p.width;
  cost.ofTokens.activationBytes = rows * kFloat * (padded(p.width) + pairColumns(p.width) / 2);
  return cost;
}

Cost costOf(const SampleSpec &, const SampleParams &p, const Machine &, const Load &) {
  Cost cost;
  cost.ofTokens.flops = kFunctionFlops * p.vocab;
  cost.ofTokens.activationBytes = kFloat * p.vocab;
  return cost;
}

Cost costOf(const TopKSpec &spec, const TopKParams &p, const Machine &, const Load &load) {
  Cost cost;
  const double rows = std::min(load.tokens, double(p.maxRows));
  cost.ofTokens.flops = rows * p.width * spec.top * 4;
  cost.ofTokens.activationBytes = rows * kFloat * (padded(p.width) + padded(2 * spec.top));
  return cost;
}

} // namespace xfmr::codegen
