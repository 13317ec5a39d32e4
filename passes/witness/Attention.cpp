// The three kernels of attention: the witness' attention, and the partial results of splits by their definition.
#include "reference/ops/Attention.h"
#include "reference/ops/Norm.h"
#include "reference/ops/Rope.h"
#include "passes/witness/CaseBuilder.h"
#include "passes/witness/Cases.h"
#include <algorithm>
#include <cmath>

using namespace xfmr;
using namespace xfmr::witness;
using codegen::paddedWidth;

namespace {

constexpr double kTolerance = 1e-5, kSoftcap = 0.7f, kAlibi = 8;
constexpr int64_t kBuckets = 8, kMaxDistance = 20; // of biases by distance

// Heads that leave a workgroup's last one idle, and no more numbers than needed.
constexpr uint32_t kHeads = 3, kKvHeads = 1;

// [kBuckets, kHeads]
Tensor biasTable() {
  Tensor table({kBuckets, kHeads});
  for (size_t i = 0; i < table.values.size(); ++i)
    table.values[i] = 2 * selftest::numberAt(700, static_cast<uint32_t>(i));
  return table;
}

// The same by distance, as kernels read it.
void addBias(CaseBuilder &c, const Tensor &table, uint32_t context, bool causal) {
  const int64_t span = codegen::biasSpan(context);
  std::vector<double> byDistance(size_t(kHeads) * span);
  for (int64_t head = 0; head < kHeads; ++head)
    for (int64_t i = 0; i < span; ++i)
      byDistance[head * span + i] = table.row(reference::bucketOf(i - (int64_t(context) - 1), kBuckets, kMaxDistance, causal))[head];
  c.floats(byDistance);
}

template <class Spec> reference::AttentionShape shapeOf(const Spec &spec, bool causal, double scale) {
  reference::AttentionShape shape;
  shape.heads = kHeads, shape.kvHeads = kKvHeads, shape.headDim = spec.headDim;
  shape.causal = causal, shape.scale = scale;
  if (spec.softcap)
    shape.softcap = kSoftcap;
  if (spec.alibi)
    shape.alibi = kAlibi;
  shape.cross = spec.cross;
  return shape;
}

float scaleOf(uint32_t headDim) {
  return static_cast<float>(2 / std::sqrt(double(headDim)));
}

// The token's own row: its query becomes normed and rotated, its key and value come behind those of the caches, and there.
void ownRow(CaseBuilder &c, const codegen::AttentionDecodeSpec &spec, const codegen::AttentionDecodeParams &p, uint32_t position,
            Tensor &q, Tensor &k, Tensor &v) {
  const int64_t kvWidth = int64_t(kKvHeads) * spec.headDim;
  Tensor key = c.rows(1, kvWidth, {0, p.kOffset});
  Tensor value = c.rows(1, kvWidth, {0, p.vOffset});
  reference::RopeFrequencies frequencies;
  if (spec.style != codegen::RopeStyle::None) {
    frequencies = reference::ropeFrequencies(p.rotaryDim, 1e4, nullptr);
    c.floats(rotations(frequencies, p.maxContext, paddedWidth(p.rotaryDim)));
  }
  if (spec.qNorm)
    q = reference::rmsNorm(q, c.vector(spec.headDim), p.eps, spec.unitOffset);
  if (spec.kNorm)
    key = reference::rmsNorm(key, c.vector(spec.headDim), p.eps, spec.unitOffset);
  if (spec.style != codegen::RopeStyle::None) {
    const RopeStyle style = spec.style == codegen::RopeStyle::Half ? RopeStyle::half : RopeStyle::interleaved;
    q = reference::rope(q, style, spec.headDim, frequencies, position);
    key = reference::rope(key, style, spec.headDim, frequencies, position);
  }
  const bool halves = spec.cache == codegen::CacheType::F16;
  const uint32_t width = paddedWidth(spec.headDim);
  for (auto [cache, row, all] : {std::tuple(2u, &key, &k), std::tuple(3u, &value, &v)}) {
    for (double &x : row->values)
      x = halves ? static_cast<double>(static_cast<_Float16>(x)) : x;
    for (uint32_t head = 0; head < kKvHeads; ++head) {
      std::vector<double> held(row->row(0) + head * spec.headDim, row->row(0) + (head + 1) * spec.headDim);
      held.resize(width); // pads are zeroed
      c.expect(cache, (uint64_t(head) * p.maxContext + position) * width, held.data(), width, halves ? 2e-3 : 2e-5,
               halves ? selftest::Element::f16 : selftest::Element::f32);
    }
    all->values.insert(all->values.end(), row->values.begin(), row->values.end());
    ++all->shape[0];
  }
}

} // namespace

Cases witness::casesOf(const codegen::AttentionPrefillSpec &spec) {
  if (!isExact(spec.cache))
    return {};
  CaseBuilder c(spec.name(), 7);
  const uint32_t shift = spec.unaligned ? 1 : 0, rows = 21, position = 13, context = 48, width = kHeads * spec.headDim;
  codegen::AttentionPrefillParams p;
  p.numHeads = kHeads, p.numKvHeads = kKvHeads, p.maxContext = context, p.maxRows = rows + 2;
  p.q = {paddedWidth(width) + 24 + shift, 8 + shift}, p.out = {paddedWidth(width) + 8 + shift, 4 + shift};
  p.scale = scaleOf(spec.headDim), p.softcap = kSoftcap, p.alibi = spec.alibi ? kAlibi : 0;
  reference::AttentionShape shape = shapeOf(spec, spec.causal, p.scale);
  if (spec.chunked)
    shape.chunk = p.chunk = 9; // of the rows some lie in the chunk of the first, some in one of their own
  c.launch(spec, p);
  c.state(spec.cross ? 3 : position, rows, position + rows);
  const Tensor q = c.rows(rows, width, p.q);
  const Tensor k = c.cache(kKvHeads, context, spec.headDim, position + rows, spec.cache);
  const Tensor v = c.cache(kKvHeads, context, spec.headDim, position + rows, spec.cache);
  c.out(p.out.offset + uint64_t(rows + 2) * p.out.stride);
  const uint32_t out = c.lastBinding();
  Tensor sinks;
  if (spec.sinks)
    sinks = c.vector(kHeads);
  const Tensor bias = biasTable();
  if (spec.bias) {
    addBias(c, bias, context, spec.causal);
    shape.bias = &bias, shape.maxDistance = kMaxDistance;
  }
  c.expectRows(out, p.out, reference::attention(q, k, v, spec.sinks ? &sinks : nullptr, shape), kTolerance);
  return only(c);
}

Cases witness::casesOf(const codegen::AttentionDecodeSpec &spec) {
  if (!isExact(spec.cache))
    return {};
  CaseBuilder c(spec.name(), 8);
  const uint32_t shift = spec.unaligned ? 1 : 0, width = kHeads * spec.headDim;
  // One split, or a whole one and a part of another.
  const uint32_t context = spec.single ? 48 : codegen::kDecodeSplit + 44,
                 position = spec.single ? 33 : codegen::kDecodeSplit + 20;
  codegen::AttentionDecodeParams p;
  p.numHeads = kHeads, p.numKvHeads = kKvHeads, p.maxContext = context;
  p.qOffset = 8 + shift, p.outOffset = 4 + shift;
  p.scale = scaleOf(spec.headDim), p.softcap = kSoftcap, p.alibi = spec.alibi ? kAlibi : 0;
  if (spec.caches) {
    p.kOffset = 12 + shift, p.vOffset = 4 + shift;
    p.rotaryDim = spec.style == codegen::RopeStyle::None ? 0 : std::min(4u, spec.headDim / 2 * 2);
  }
  c.launch(spec, p);
  c.state(spec.cross ? 3 : position, 1, position + 1);
  const Tensor bias = biasTable();
  Tensor q = c.rows(1, width, {0, p.qOffset});
  const uint32_t keys = spec.caches ? position : position + 1;
  Tensor k = c.cache(kKvHeads, context, spec.headDim, keys, spec.cache);
  Tensor v = c.cache(kKvHeads, context, spec.headDim, keys, spec.cache);
  if (!spec.splits()) {
    c.out(p.outOffset + paddedWidth(width));
    const uint32_t out = c.lastBinding();
    if (spec.combines) {
      c.out(codegen::decodePartialFloats(kHeads, spec.headDim, context));
      c.words(std::vector<uint32_t>(kHeads, 0));
      c.expectWords(c.lastBinding(), 0, std::vector<uint32_t>(kHeads, 0));
    }
    Tensor sinks;
    if (spec.sinks)
      sinks = c.vector(kHeads);
    if (spec.caches)
      ownRow(c, spec, p, position, q, k, v);
    reference::AttentionShape shape = shapeOf(spec, !spec.cross, p.scale);
    if (spec.bias) {
      addBias(c, bias, context, true);
      shape.bias = &bias, shape.maxDistance = kMaxDistance;
    }
    // With an f16 cache one column of the token's key may lie on the other side of a tie, by 2^-10 of numbers below 2: its score
    // is off by 2 / sqrt(head_dim) * 2 * 2 * 2^-10 at most, and by no more than that the result, whose values are below 1.
    const double tolerance = spec.caches && spec.cache == codegen::CacheType::F16 ? 8e-3 / std::sqrt(double(spec.headDim)) : kTolerance;
    c.expectRows(out, {0, p.outOffset}, reference::attention(q, k, v, spec.sinks ? &sinks : nullptr, shape), tolerance);
    return only(c);
  }
  c.out(codegen::decodePartialFloats(kHeads, spec.headDim, context));
  if (spec.bias)
    addBias(c, bias, context, true);
  const uint32_t splits = codegen::decodeSplits(context), stride = paddedWidth(spec.headDim) + 8;
  for (uint32_t head = 0; head < kHeads; ++head) {
    const double slope = spec.alibi ? reference::alibiSlope(head, kHeads, kAlibi) : 0;
    for (uint32_t split = 0; split < splits; ++split) {
      const uint32_t begin = split * codegen::kDecodeSplit, end = std::min(begin + codegen::kDecodeSplit, position + 1);
      std::vector<double> scores, row(stride);
      for (uint32_t key = begin; key < end; ++key) {
        double score = 0;
        for (uint32_t i = 0; i < spec.headDim; ++i)
          score += q.row(0)[head * spec.headDim + i] * k.row(key)[i];
        score *= p.scale;
        score = spec.softcap ? kSoftcap * std::tanh(score / kSoftcap) : score;
        score += slope * (double(key) - position);
        if (spec.bias)
          score += bias.row(reference::bucketOf(int64_t(key) - position, kBuckets, kMaxDistance, true))[head];
        scores.push_back(score);
      }
      const double largest = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (uint32_t key = begin; key < end; ++key) {
        const double weight = std::exp(scores[key - begin] - largest);
        sum += weight;
        for (uint32_t i = 0; i < spec.headDim; ++i)
          row[i] += weight * v.row(key)[i];
      }
      const uint64_t at = uint64_t(head * splits + split) * stride;
      c.expect(4, at, row.data(), spec.headDim, kTolerance);
      const double ends[] = {largest, sum};
      c.expect(4, at + paddedWidth(spec.headDim), ends, 2, kTolerance);
    }
  }
  return only(c);
}

Cases witness::casesOf(const codegen::AttentionCombineSpec &spec) {
  CaseBuilder c(spec.name(), 9);
  const uint32_t shift = spec.unaligned ? 1 : 0, context = codegen::kDecodeSplit * 2 + 44,
                 width = kHeads * spec.headDim;
  const uint32_t splits = codegen::decodeSplits(context), filled = 2, stride = paddedWidth(spec.headDim) + 8;
  codegen::AttentionCombineParams p;
  p.numHeads = kHeads, p.maxContext = context, p.outOffset = 4 + shift;
  c.launch(spec, p);
  c.state(spec.cross ? 3 : codegen::kDecodeSplit + 20, 1, codegen::kDecodeSplit + 21); // the third split is not there yet
  std::vector<double> partial(size_t(kHeads) * splits * stride, NAN);
  Tensor y({1, width});
  std::vector<double> largest(kHeads, -INFINITY), total(kHeads);
  auto at = [&](uint32_t head, uint32_t split) { return &partial[size_t(head * splits + split) * stride]; };
  for (uint32_t head = 0; head < kHeads; ++head)
    for (uint32_t split = 0; split < filled; ++split) {
      double *row = at(head, split);
      std::fill_n(row, stride, 0.0);
      for (uint32_t i = 0; i < spec.headDim; ++i)
        row[i] = selftest::numberAt(900 + head * splits + split, i);
      row[paddedWidth(spec.headDim)] = selftest::numberAt(990 + head, split);
      row[paddedWidth(spec.headDim) + 1] = 1.5 + selftest::numberAt(995 + head, split);
    }
  c.floats(partial);
  c.out(p.outOffset + paddedWidth(width));
  const uint32_t out = c.lastBinding();
  Tensor sinks;
  if (spec.sinks)
    sinks = c.vector(kHeads);
  for (uint32_t head = 0; head < kHeads; ++head) {
    for (uint32_t split = 0; split < filled; ++split)
      largest[head] = std::max(largest[head], at(head, split)[paddedWidth(spec.headDim)]);
    if (spec.sinks)
      largest[head] = std::max(largest[head], sinks.values[head]),
      total[head] = std::exp(sinks.values[head] - largest[head]);
    for (uint32_t split = 0; split < filled; ++split) {
      const double *row = at(head, split), weight = std::exp(row[paddedWidth(spec.headDim)] - largest[head]);
      total[head] += weight * row[paddedWidth(spec.headDim) + 1];
      for (uint32_t i = 0; i < spec.headDim; ++i)
        y.values[head * spec.headDim + i] += weight * row[i];
    }
    for (uint32_t i = 0; i < spec.headDim; ++i)
      y.values[head * spec.headDim + i] /= total[head];
  }
  c.expectRows(out, {0, p.outOffset}, y, kTolerance);
  return only(c);
}
