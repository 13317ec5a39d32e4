// Caches of keys and values as the attention kernels read them, and attention by the formulas of their headers in f64.
#pragma once

#include "passes/codegen/Attention.h"
#include "passes/codegen/RopeCache.h"
#include "test/codegen/KernelTest.h"

namespace xfmr::codegen::test {

class AttentionKernels : public KernelTest {
protected:
  static float stored(float v, CacheType type) {
    return type == CacheType::F32 ? v : fromHalf(toHalf(v));
  }
  // Of Q8: of a head at a position, whose numbers are this times integers.
  static float codeScale(uint32_t head, uint32_t position) { return float(8 + (head * 5 + position * 3) % 8) / (16 * 127); }

  // A cache filled with numbers for `keys` positions; what lies beyond is NaN.
  struct Cache {
    uint32_t heads, context, dim;
    std::vector<float> values; // [heads, context, dim]
    float at(uint32_t h, uint32_t p, uint32_t c) const {
      return values[(size_t(h) * context + p) * dim + c];
    }
  };
  Cache randomCache(uint32_t heads, uint32_t context, uint32_t dim, CacheType type) {
    Cache c{heads, context, dim, std::vector<float>(size_t(heads) * context * dim)};
    for (size_t i = 0; i < c.values.size(); ++i)
      c.values[i] = type != CacheType::Q8 ? stored(uniform(), type)
                                          : std::nearbyint(uniform(-127, 127)) * codeScale(uint32_t(i / dim / context), i / dim % context);
    return c;
  }
  // Keys lie in panels of 16 positions on the CPU.
  static size_t cacheElements(uint32_t heads, uint32_t context, uint32_t padded, bool keys) {
    return size_t(heads) * (keys && !onVulkan() ? (context + 15) / 16 * 16 : context) * padded;
  }
  static size_t cacheIndex(uint32_t head, uint32_t position, uint32_t column, uint32_t context, uint32_t padded, bool keys) {
    const size_t start = cacheElements(head, context, padded, keys);
    if (!keys || onVulkan())
      return start + size_t(position) * padded + column;
    return start + size_t(position) / 16 * 16 * padded + column * 16 + position % 16;
  }
  TestBuffer *upload(const Cache &c, uint32_t keys, CacheType type, bool isKeys) {
    uint32_t padded = paddedWidth(c.dim);
    TestBuffer *buffer = bytes(cacheBytes(c.heads, c.context, padded, isKeys, type));
    for (uint32_t h = 0; h < c.heads; ++h)
      for (uint32_t p = 0; p < c.context; ++p)
        for (uint32_t i = 0; i < padded; ++i) {
          float v = p >= keys ? NAN : i < c.dim ? c.at(h, p, i) : 0.0f;
          size_t at = cacheIndex(h, p, i, c.context, padded, isKeys);
          if (type == CacheType::F32)
            buffer->as<float>()[at] = v;
          else if (type == CacheType::Q8)
            buffer->as<int8_t>()[at] = p >= keys ? -128 : int8_t(std::lround(v / codeScale(h, p)));
          else
            buffer->as<uint16_t>()[at] = toHalf(v);
        }
    for (uint32_t h = 0; type == CacheType::Q8 && h < c.heads; ++h)
      for (uint32_t p = 0; p < cacheScales(c.context); ++p)
        scaleOf(buffer, h, p, c.heads, c.context, padded, isKeys) = p >= keys ? NAN : codeScale(h, p);
    return buffer;
  }
  static size_t cacheBytes(uint32_t heads, uint32_t context, uint32_t padded, bool keys, CacheType type) {
    return cacheElements(heads, context, padded, keys) * cacheElementBytes(type) +
           (type == CacheType::Q8 ? size_t(4) * heads * cacheScales(context) : 0);
  }
  // Scales lie behind the codes of all heads.
  static float &scaleOf(TestBuffer *buffer, uint32_t head, uint32_t position, uint32_t heads, uint32_t context, uint32_t padded, bool keys) {
    return buffer->as<float>()[cacheElements(heads, context, padded, keys) / 4 + head * cacheScales(context) + position];
  }

  struct Shape {
    uint32_t heads, kvHeads, dim, context, position, rows;
    uint32_t window = 0;
    bool causal = true, softcap = false, sinks = false;
    uint32_t shift = 0; // of offsets and strides: not 0 takes the unaligned kernels
    uint32_t chunk = 0;
    float alibi = 0;
    bool bias = false;
    uint32_t source = 0; // not 0: all of so many keys
    uint32_t keys() const { return source ? source : position + rows; }
    std::vector<float> table = {}; // with bias: [heads, biasSpan]
    double biasOf(uint32_t head, uint32_t i, uint32_t j) const { return table[head * biasSpan(context) + j + context - 1 - i]; }
  };

  // Of BLOOM's build_alibi_tensor.
  static double slope(uint32_t head, uint32_t heads, double b) {
    const double power = std::exp2(std::floor(std::log2(heads)));
    return head < power ? std::exp2(-b * (head + 1) / power) : std::exp2(-b * (2 * (head - power) + 1) / (2 * power));
  }

  Matrix reference(const Shape &s, const Matrix &q, const Cache &keys, const Cache &values,
                   double scale, double cap, const std::vector<float> &sinks) {
    Matrix out{s.rows, s.heads * s.dim, std::vector<float>(size_t(s.rows) * s.heads * s.dim)};
    for (uint32_t t = 0; t < s.rows; ++t)
      for (uint32_t h = 0; h < s.heads; ++h) {
        uint32_t kv = h / (s.heads / s.kvHeads), i = s.position + t;
        std::vector<double> weights;
        std::vector<uint32_t> visible;
        double largest = s.sinks ? sinks[h] : -INFINITY;
        for (uint32_t j = 0; j < s.keys(); ++j) {
          if ((s.causal && !s.source && j > i) || (s.window && (j + s.window <= i || j >= i + s.window)) ||
              (s.chunk && j / s.chunk != i / s.chunk))
            continue;
          double score = 0;
          for (uint32_t c = 0; c < s.dim; ++c)
            score += double(q.at(t, h * s.dim + c)) * keys.at(kv, j, c);
          score *= scale;
          if (s.softcap)
            score = cap * std::tanh(score / cap);
          if (s.alibi > 0)
            score += slope(h, s.heads, s.alibi) * (double(j) - double(i));
          if (s.bias)
            score += s.biasOf(h, i, j);
          visible.push_back(j), weights.push_back(score);
          largest = std::max(largest, score);
        }
        double total = s.sinks ? std::exp(sinks[h] - largest) : 0;
        for (double &w : weights)
          total += w = std::exp(w - largest);
        for (uint32_t c = 0; c < s.dim; ++c) {
          double sum = 0;
          for (size_t n = 0; n < visible.size(); ++n)
            sum += weights[n] / total * values.at(kv, visible[n], c);
          out.values[(size_t(t) * s.heads + h) * s.dim + c] = static_cast<float>(sum);
        }
      }
    return out;
  }

  void prefill(Shape s, CacheType type) {
    AttentionPrefillSpec spec{s.dim, type, s.causal && !s.source, s.softcap, s.sinks, s.shift != 0, s.alibi > 0, s.chunk > 0, s.bias, s.source > 0};
    if (s.bias)
      s.table = randomVector(s.heads * biasSpan(s.context), 2);
    SCOPED_TRACE(spec.name() + " position=" + std::to_string(s.position) +
                 " rows=" + std::to_string(s.rows));
    Matrix q = randomMatrix(s.rows, s.heads * s.dim, WeightType::F32, 3);
    Cache keys = randomCache(s.kvHeads, s.context, s.dim, type);
    Cache values = randomCache(s.kvHeads, s.context, s.dim, type);
    auto sinks = randomVector(s.heads, 2);
    uint32_t width = paddedWidth(s.heads * s.dim);
    AttentionPrefillParams p;
    p.numHeads = s.heads, p.numKvHeads = s.kvHeads, p.maxContext = s.context,
    p.maxRows = s.rows + 2;
    p.q = {width + 24 + s.shift, 8 + s.shift}, p.out = {width + 8 + s.shift, 4 + s.shift};
    ASSERT_EQ(p.unaligned(), spec.unaligned);
    p.scale = 1 / std::sqrt(float(s.dim)), p.softcap = 0.7f, p.window = s.window, p.chunk = s.chunk, p.alibi = s.alibi;
    size_t size = p.out.offset + size_t(s.rows + 2) * p.out.stride;
    uint32_t filled = s.keys();
    std::vector<TestBuffer *> bound = {state(s.position, s.rows, 0, s.source), activations(q, p.q),
                                         upload(keys, filled, type, true), upload(values, filled, type, false),
                                         nullptr};
    if (s.sinks)
      bound.push_back(vector(sinks));
    if (s.bias)
      bound.push_back(vector(s.table));
    Matrix expected = reference(s, q, keys, values, p.scale, p.softcap, sinks);
    for (size_t variant = 0; variant < variants(spec); ++variant) {
      SCOPED_TRACE(variantLabel(spec, variant));
      TestBuffer *out = bound[4] = floats(size);
      run(spec, p, bound, int(variant));
      expectRows(out, p.out, expected, 1e-5);
      expectUntouched(out, p.out.offset + size_t(s.rows) * p.out.stride, size);
    }
  }

  void decode(Shape s, CacheType type) {
    bool single = decodeSplits(s.context) == 1;
    AttentionDecodeSpec spec{s.dim,   type, single, s.softcap, s.sinks && single, s.shift != 0, s.alibi > 0, s.bias, s.source > 0};
    if (s.bias)
      s.table = randomVector(s.heads * biasSpan(s.context), 2);
    SCOPED_TRACE(spec.name() + " position=" + std::to_string(s.position));
    Matrix q = randomMatrix(1, s.heads * s.dim, WeightType::F32, 3);
    Cache keys = randomCache(s.kvHeads, s.context, s.dim, type);
    Cache values = randomCache(s.kvHeads, s.context, s.dim, type);
    auto sinks = randomVector(s.heads, 2);
    AttentionDecodeParams p;
    p.numHeads = s.heads, p.numKvHeads = s.kvHeads, p.maxContext = s.context,
    p.qOffset = 8 + s.shift, p.outOffset = 4 + s.shift;
    ASSERT_EQ(p.unaligned(), spec.unaligned);
    p.scale = 1 / std::sqrt(float(s.dim)), p.softcap = 0.7f, p.window = s.window, p.chunk = s.chunk, p.alibi = s.alibi;
    size_t size = p.outOffset + paddedWidth(s.heads * s.dim);
    TestBuffer *out = floats(size);
    TestBuffer *partial = single ? out : floats(decodePartialFloats(s.heads, s.dim, s.context));
    if (!single)
      std::fill_n(partial->as<float>(), partial->bytes / 4,
                  NAN); // splits nobody filled must not be read
    TestBuffer *now = state(s.position, 1, 0, s.source), *none = state(s.position, 0, 0, s.source);
    std::vector<TestBuffer *> bound = {now, activations(q, {0, p.qOffset}),
                                         upload(keys, s.keys(), type, true), upload(values, s.keys(), type, false), partial};
    if (spec.sinks)
      bound.push_back(vector(sinks));
    if (s.bias)
      bound.push_back(vector(s.table));
    AttentionCombineSpec combine{s.dim, s.sinks, spec.unaligned, s.source > 0};
    AttentionCombineParams c;
    c.numHeads = s.heads, c.maxContext = s.context, c.outOffset = p.outOffset, c.window = s.window, c.chunk = s.chunk;
    std::vector<TestBuffer *> combineBound = {now, partial, out};
    if (s.sinks)
      combineBound.push_back(vector(sinks));
    for (TestBuffer *live : {none, now}) { // with a count of 0 nothing happens
      bound[0] = combineBound[0] = live;
      run(spec, p, bound);
      if (!single)
        run(combine, c, combineBound);
      if (live == none)
        expectUntouched(out, 0, size);
    }
    expectRows(out, {0, p.outOffset}, reference(s, q, keys, values, p.scale, p.softcap, sinks), 1e-5);
  }
};

} // namespace xfmr::codegen::test
