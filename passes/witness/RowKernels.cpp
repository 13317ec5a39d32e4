// embedding, norm, elementwise, rope_cache, row_codes and top_k: what works row by row.
#include "passes/witness/CaseBuilder.h"
#include "passes/witness/Cases.h"
#include "passes/witness/Formulas.h"
#include "reference/ops/Embedding.h"
#include "reference/ops/Norm.h"
#include "reference/ops/Probe.h"
#include "reference/ops/Rope.h"
#include <cmath>

using namespace xfmr;
using namespace xfmr::witness;
using codegen::paddedWidth;

namespace {

/// The same numbers as rows of another width.
Tensor reshaped(Tensor x, int64_t columns) {
  const int64_t rows = static_cast<int64_t>(x.values.size()) / columns;
  x.shape = {rows, columns};
  return x;
}

} // namespace

Cases witness::casesOf(const codegen::EmbeddingSpec &spec) {
  if (!isExact(spec.weight))
    return {};
  CaseBuilder c(spec.name(), 3);
  const uint32_t width = 44, vocab = 19, position = 5;
  const std::vector<uint32_t> tokens = {3, 18, 0, 3};
  codegen::EmbeddingParams p;
  p.width = width, p.vocab = vocab, p.tableRows = vocab, p.maxRows = 5, p.maxPosition = 10;
  p.out = {paddedWidth(width) + 8, 16};
  c.launch(spec, p);
  c.state(position, uint32_t(tokens.size()));
  c.words(tokens);
  const Tensor table = c.weight(vocab, width, spec.weight),
               ids({int64_t(tokens.size())}, {tokens.begin(), tokens.end()});
  c.out(p.out.offset + 5 * p.out.stride);
  const uint32_t out = c.lastBinding();
  Tensor positions, y;
  if (spec.positions)
    positions = c.weight(10, width, spec.weight);
  if (reference::embedding(ids, table, spec.positions ? &positions : nullptr, position, y).failed())
    return {};
  c.expectRows(out, p.out, y, 1e-7);
  return only(c);
}

Cases witness::casesOf(const codegen::NormSpec &spec) {
  CaseBuilder c(spec.name(), 4);
  const uint32_t shift = spec.unaligned ? 1 : 0, count = 3;
  codegen::NormParams p;
  p.width = spec.perHead ? 12 : 44, p.groups = spec.perHead ? 3 : 1, p.maxRows = 5;
  const uint32_t width = p.width * p.groups;
  p.x = {paddedWidth(width) + 8 + shift, 8 + shift}, p.out = {paddedWidth(width) + 16 + shift, 4 + shift};
  c.launch(spec, p);
  c.state(9, count);
  const Tensor x = c.rows(count, width, p.x);
  c.out(p.out.offset + uint64_t(5) * p.out.stride);
  const uint32_t out = c.lastBinding();
  const Tensor w = c.vector(p.width);
  Tensor b, y;
  if (spec.bias)
    b = c.vector(p.width);
  if (spec.kind == codegen::NormKind::Rms)
    y = reference::rmsNorm(x, w, p.eps, spec.unitOffset);
  else
    y = reshaped(reference::layerNorm(reshaped(x, p.width), w, spec.bias ? &b : nullptr, p.eps), width);
  if (spec.kind == codegen::NormKind::Rms && spec.bias)
    return {}; // no importer makes one
  const uint32_t last = count - 1;
  if (spec.lastRow)
    y = Tensor({1, width}, {y.row(last), y.row(last) + width});
  // With heads the pad is not written.
  for (int64_t row = 0; row < y.rows(); ++row)
    c.expect(out, p.out.offset + uint64_t(row) * p.out.stride, y.row(row), width, 2e-5);
  return only(c);
}

Cases witness::casesOf(const codegen::ElementwiseSpec &spec) {
  using codegen::ElementwiseOp;
  CaseBuilder c(spec.name(), 5);
  const uint32_t width = 44, count = 3, position = 9;
  const bool byPosition = spec.op == ElementwiseOp::PositionScale;
  codegen::ElementwiseParams p;
  p.width = width, p.maxRows = 5, p.value = spec.op == ElementwiseOp::Clamp ? 0.4f : 1.5f;
  p.a = {paddedWidth(width) + 8, 8}, p.b = {paddedWidth(width), 4}, p.out = {paddedWidth(width) + 16, 12};
  c.launch(spec, p);
  c.state(position, count);
  Tensor y = c.rows(count, width, p.a), b;
  c.out(p.out.offset + uint64_t(5) * p.out.stride);
  const uint32_t out = c.lastBinding();
  if (spec.hasB())
    b = c.rows(byPosition ? position + count : count, width, p.b);
  for (int64_t row = 0; row < count; ++row)
    for (int64_t i = 0; i < width; ++i) {
      double &v = y.row(row)[i];
      switch (spec.op) {
      case ElementwiseOp::Copy:
      case ElementwiseOp::LastRow: break;
      case ElementwiseOp::Add: v += b.row(row)[i]; break;
      case ElementwiseOp::Mul: v *= b.row(row)[i]; break;
      case ElementwiseOp::Activation: v = activation(spec.activation, v); break;
      case ElementwiseOp::Scale: v *= p.value; break;
      case ElementwiseOp::Softcap: v = p.value * std::tanh(v / p.value); break;
      case ElementwiseOp::RowScale: v *= b.row(row)[0]; break;
      case ElementwiseOp::Clamp: v = std::clamp<double>(v, -p.value, p.value); break;
      case ElementwiseOp::PositionScale: v *= b.row(position + row)[0]; break;
      }
    }
  if (spec.op == ElementwiseOp::LastRow)
    y = Tensor({1, width}, {y.row(count - 1), y.row(count - 1) + width});
  c.expectRows(out, p.out, y, 1e-5);
  return only(c);
}

// One row of the cache: what turns of k, and v behind it.
static Cases latentCases(const codegen::RopeCacheSpec &spec) {
  CaseBuilder c(spec.name(), 13);
  const uint32_t shift = spec.unaligned ? 1 : 0, count = 3, position = 5, context = 16, heads = 3, turned = 8, width = 32;
  codegen::RopeCacheParams p;
  p.numHeads = heads, p.numKvHeads = 1, p.headDim = width, p.rotaryDim = turned, p.maxContext = context, p.maxRows = 5;
  p.qHead = width;
  p.q = {heads * width + 8, 8}, p.k = {turned + 8 + shift, 4 + shift}, p.v = {width - turned + 16, 12};
  c.launch(spec, p);
  c.state(position, count);
  const Tensor q = c.rows(count, heads * width, p.q), k = c.rows(count, turned, p.k), v = c.rows(count, width - turned, p.v);
  const bool halves = spec.cache == codegen::CacheType::F16;
  c.out(uint64_t(context) * width / (halves ? 2 : 1));
  const uint32_t cache = c.lastBinding();
  const reference::RopeFrequencies frequencies = reference::ropeFrequencies(turned, 1e4, nullptr);
  c.floats(rotations(frequencies, context, paddedWidth(turned)));
  const RopeStyle style = spec.style == codegen::RopeStyle::Half ? RopeStyle::half : RopeStyle::interleaved;
  const Tensor turnedQ = reference::rope(q, style, width, frequencies, position);
  const Tensor turnedK = reference::rope(k, style, turned, frequencies, position);
  for (int64_t row = 0; row < count; ++row) {
    c.expect(1, p.q.offset + uint64_t(row) * p.q.stride, turnedQ.row(row), heads * width, 2e-5);
    std::vector<double> values(turnedK.row(row), turnedK.row(row) + turned);
    values.insert(values.end(), v.row(row), v.row(row) + width - turned);
    c.expect(cache, uint64_t(position + row) * width, values.data(), width, halves ? 1e-3 : 2e-5,
             halves ? selftest::Element::f16 : selftest::Element::f32);
  }
  return only(c);
}

Cases witness::casesOf(const codegen::RopeCacheSpec &spec) {
  if (!isExact(spec.cache))
    return {};
  if (spec.latent)
    return latentCases(spec);
  CaseBuilder c(spec.name(), 6);
  const uint32_t shift = spec.unaligned ? 1 : 0, count = 3, position = 5, context = 16;
  const bool turns = spec.style != codegen::RopeStyle::None;
  codegen::RopeCacheParams p;
  p.numHeads = 4, p.numKvHeads = 2, p.headDim = 12, p.rotaryDim = turns ? 8 : 0;
  p.maxContext = context, p.maxRows = 5;
  p.q = {48 + 24 + shift, 8 + shift}, p.k = {24 + 8 + shift, 4 + shift}, p.v = {24 + 16 + shift, 12 + shift};
  c.launch(spec, p);
  c.state(position, count);
  Tensor q = c.rows(count, 48, p.q), k = c.rows(count, 24, p.k);
  const Tensor v = c.rows(count, 24, p.v);
  const uint32_t width = paddedWidth(p.headDim);
  const uint64_t words = uint64_t(p.numKvHeads) * context * width / (spec.cache == codegen::CacheType::F16 ? 2 : 1);
  c.out(words);
  c.out(words);
  const uint32_t keys = c.lastBinding() - 1;
  reference::RopeFrequencies frequencies;
  if (turns) {
    frequencies = reference::ropeFrequencies(p.rotaryDim, 1e4, nullptr);
    c.floats(rotations(frequencies, context, paddedWidth(p.rotaryDim)));
  }
  if (spec.qNorm)
    q = reference::rmsNorm(q, c.vector(p.headDim), p.eps, spec.unitOffset);
  if (spec.kNorm)
    k = reference::rmsNorm(k, c.vector(p.headDim), p.eps, spec.unitOffset);
  if (turns) {
    const RopeStyle style = spec.style == codegen::RopeStyle::Half ? RopeStyle::half : RopeStyle::interleaved;
    q = reference::rope(q, style, p.headDim, frequencies, position);
    k = reference::rope(k, style, p.headDim, frequencies, position);
  }
  if (spec.touchesQ())
    for (int64_t row = 0; row < count; ++row)
      c.expect(1, p.q.offset + uint64_t(row) * p.q.stride, q.row(row), 48, 2e-5);
  // An f16 is off by half a unit of 2^-10 of its size, and by a whole one where f32 sums end on the other side of a tie.
  const bool halves = spec.cache == codegen::CacheType::F16;
  for (uint32_t head = 0; head < p.numKvHeads; ++head)
    for (uint32_t row = 0; row < count; ++row)
      for (uint32_t cache : {0u, 1u}) {
        const Tensor &from = cache ? v : k;
        std::vector<double> values(from.row(row) + head * p.headDim, from.row(row) + (head + 1) * p.headDim);
        values.resize(width); // pads are zeroed
        c.expect(keys + cache, (uint64_t(head) * context + position + row) * width, values.data(), width,
                 halves ? 1e-3 : 2e-5, halves ? selftest::Element::f16 : selftest::Element::f32);
      }
  return only(c);
}

// Only programs for the CPU have codes and pairs.
Cases witness::casesOf(const codegen::RowCodesSpec &) {
  return {};
}
Cases witness::casesOf(const codegen::RowPairsSpec &) {
  return {};
}

Cases witness::casesOf(const codegen::TopKSpec &spec) {
  CaseBuilder c(spec.name(), 7);
  const uint32_t count = 3;
  codegen::TopKParams p;
  p.width = std::max(70u, spec.top + 5), p.maxRows = 5;
  p.x = {paddedWidth(p.width) + 8, 8};
  c.launch(spec, p);
  c.state(9, count);
  const Tensor x = c.rows(count, p.width, p.x);
  const codegen::Rows at = {paddedWidth(2 * spec.top), 0};
  c.out(uint64_t(5) * at.stride);
  c.expectRows(c.lastBinding(), at, reference::topOf(x, spec.top, spec.magnitude), 0);
  return only(c);
}
