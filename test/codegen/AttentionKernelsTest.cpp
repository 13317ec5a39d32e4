// rope_cache and the attention kernels against the formulas of their headers in f64.
#include "passes/codegen/Attention.h"
#include "passes/codegen/RopeCache.h"
#include "test/codegen/KernelTest.h"

namespace xfmr::codegen::test {
namespace {

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

  struct Turn {
    RopeStyle style = RopeStyle::Half;
    bool qNorm = false, kNorm = false, unitOffset = false;
  };

  // What one dispatch does to a token against rope_cache, attention_decode and attention_combine one after another.
  void decodeInOne(const Shape &s, CacheType type, const Turn &turn) {
    for (int variant = 0; variant < 2; ++variant)
      decodeInOne(s, type, turn, variant);
  }
  void decodeInOne(const Shape &s, CacheType type, const Turn &turn, int variant) {
    constexpr uint32_t tokens = 3;
    const uint32_t d = s.dim, padded = paddedWidth(d), rotary = turn.style == RopeStyle::None ? 0 : std::max(2u, d / 2 / 2 * 2);
    const uint32_t width = paddedWidth((s.heads + 2 * s.kvHeads) * d) + 16, keysAt = s.heads * d + s.shift;
    const bool single = decodeSplits(s.context) == 1;
    AttentionDecodeSpec spec{d, type, single, s.softcap, s.sinks, s.shift != 0 || keysAt % 4 != 0 || s.kvHeads * d % 4 != 0};
    spec.combines = !single, spec.caches = true, spec.style = turn.style;
    spec.qNorm = turn.qNorm, spec.kNorm = turn.kNorm, spec.unitOffset = turn.unitOffset;
    SCOPED_TRACE(spec.name() + " position=" + std::to_string(s.position) + " variant " + std::to_string(variant));
    AttentionDecodeParams p;
    p.numHeads = s.heads, p.numKvHeads = s.kvHeads, p.maxContext = s.context;
    p.qOffset = s.shift, p.outOffset = 4, p.kOffset = keysAt, p.vOffset = keysAt + s.kvHeads * d;
    p.scale = 1 / std::sqrt(float(d)), p.softcap = 0.7f, p.window = s.window, p.rotaryDim = rotary;
    ASSERT_EQ(p.unaligned(), spec.unaligned);
    if (variant >= int(variants(spec))) // a device without the first one's subgroups
      return;
    RopeCacheSpec rope{type, turn.style, turn.qNorm, turn.kNorm, turn.unitOffset, d % 4 != 0 || spec.unaligned};
    RopeCacheParams r;
    r.numHeads = s.heads, r.numKvHeads = s.kvHeads, r.headDim = d, r.rotaryDim = rotary, r.maxContext = s.context, r.maxRows = 1;
    r.q = {width, p.qOffset}, r.k = {width, p.kOffset}, r.v = {width, p.vOffset};
    if (spec.unaligned) // rows are, here, whatever their stride
      r.q.stride = width + 1;
    AttentionDecodeSpec alone{d, type, single, s.softcap, s.sinks && single, spec.unaligned};
    AttentionDecodeParams a = p;
    a.kOffset = a.vOffset = spec.unaligned ? 1 : 0, a.rotaryDim = 0;
    AttentionCombineSpec combine{d, s.sinks, spec.unaligned};
    AttentionCombineParams c;
    c.numHeads = s.heads, c.maxContext = s.context, c.outOffset = p.outOffset, c.window = s.window;
    combine.unaligned = alone.unaligned;

    const Cache keys = randomCache(s.kvHeads, s.context, d, type), values = randomCache(s.kvHeads, s.context, d, type);
    TestBuffer *caches[2][2];
    for (auto &pair : caches)
      pair[0] = upload(keys, s.position, type, true), pair[1] = upload(values, s.position, type, false);
    TestBuffer *table = rowMajor(randomMatrix(s.context, std::max(rotary, 1u)), WeightType::F32);
    TestBuffer *qWeights = vector(randomVector(d)), *kWeights = vector(randomVector(d)), *sinks = vector(randomVector(s.heads, 2));
    TestBuffer *partial = floats(decodePartialFloats(s.heads, d, s.context)), *own = floats(partial->bytes / 4);
    TestBuffer *done = ids(std::vector<uint32_t>(s.heads, 0));
    auto turns = [&](std::vector<TestBuffer *> bound) {
      if (turn.style != RopeStyle::None)
        bound.push_back(table);
      if (turn.qNorm)
        bound.push_back(qWeights);
      if (turn.kNorm)
        bound.push_back(kWeights);
      return bound;
    };
    auto withSinks = [&](std::vector<TestBuffer *> bound, bool take) {
      if (take)
        bound.push_back(sinks);
      return bound;
    };
    for (uint32_t token = 0; token < tokens; ++token) {
      const Matrix row = randomMatrix(1, width - 8);
      TestBuffer *rows = activations(row, {0, 0}), *turned = activations(row, {0, 0});
      TestBuffer *now = state(s.position + token, 1), *none = state(s.position + token, 0);
      const size_t size = p.outOffset + paddedWidth(s.heads * d);
      TestBuffer *out = floats(size), *expected = floats(size);
      run(rope, r, turns({now, turned, turned, turned, caches[1][0], caches[1][1]}));
      run(alone, a, withSinks({now, turned, caches[1][0], caches[1][1], single ? expected : partial}, alone.sinks));
      if (!single)
        run(combine, c, withSinks({now, partial, expected}, combine.sinks));
      std::vector<TestBuffer *> bound = {now, rows, caches[0][0], caches[0][1], out};
      if (spec.combines)
        bound.insert(bound.end(), {own, done});
      bound = withSinks(bound, s.sinks);
      bound.insert(bound.end(), {rows, rows});
      bound = turns(bound);
      bound[0] = none;
      run(spec, p, bound, variant);
      expectUntouched(out, 0, size);
      bound[0] = now;
      run(spec, p, bound, variant);
      // The sums of squares are cut otherwise, and of the first variant all sums; all else is the same.
      const bool exact = variant + 1 == int(variants(spec)) && !turn.qNorm && !turn.kNorm;
      for (size_t i = 0; i < size; ++i)
        ASSERT_NEAR(out->as<float>()[i], expected->as<float>()[i], exact ? 0 : 2e-5) << "token " << token << " column " << i;
      for (uint32_t head = 0; head < s.heads; ++head)
        ASSERT_EQ(done->as<uint32_t>()[head], 0u) << "token " << token;
      if (exact)
        for (int which : {0, 1})
          ASSERT_EQ(std::memcmp(caches[0][which]->as<void>(), caches[1][which]->as<void>(), caches[0][which]->bytes), 0)
              << "token " << token;
      else // later tokens are compared from the same caches
        for (int which : {0, 1}) {
          const uint32_t at = s.position + token;
          for (uint32_t h = 0; h < s.kvHeads; ++h)
            for (uint32_t i = 0; i < padded; ++i) {
              const size_t e = cacheIndex(h, at, i, s.context, padded, which == 0);
              if (type == CacheType::F32)
                ASSERT_NEAR(caches[0][which]->as<float>()[e], caches[1][which]->as<float>()[e], 2e-5);
              else if (type == CacheType::F16)
                ASSERT_NEAR(fromHalf(caches[0][which]->as<uint16_t>()[e]), fromHalf(caches[1][which]->as<uint16_t>()[e]), 4e-3);
              else
                ASSERT_NEAR(caches[0][which]->as<int8_t>()[e], caches[1][which]->as<int8_t>()[e], 1);
            }
          std::memcpy(caches[0][which]->as<void>(), caches[1][which]->as<void>(), caches[0][which]->bytes);
        }
    }
    releaseBuffers();
  }
};

TEST_P(AttentionKernels, DecodeInOneDispatch) {
  if (!onVulkan())
    GTEST_SKIP() << "the CPU's kernels stay apart";
  const Turn turns[] = {{}, {RopeStyle::Interleaved}, {RopeStyle::None}, {RopeStyle::Half, true, true}, {RopeStyle::None, false, true, true}};
  const Shape shapes[] = {{4, 2, 64, 200, 0, 1},
                          {3, 1, 12, 256, 70, 1},
                          {4, 2, 16, 600, 254, 1}, // the token's key begins a split
                          {6, 2, 128, 900, 700, 1, 300},
                          {2, 2, 256, 300, 290, 1}};
  uint32_t number = 0;
  for (CacheType type : {CacheType::F32, CacheType::F16, CacheType::Q8})
    for (const Shape &s : shapes)
      decodeInOne(s, type, turns[(number++ + uint32_t(type)) % 5]);
  Shape s{6, 3, 32, 800, 600, 1, 0, true, true, true};
  decodeInOne(s, CacheType::F32, {});
  s.context = 256, s.position = 100;
  decodeInOne(s, CacheType::F16, {RopeStyle::Half, true});
  for (uint32_t dim : {6u, 33u, 75u}) {
    Shape odd{3, 1, dim, dim % 2 ? 256u : 600u, 33, 1};
    decodeInOne(odd, dim % 4 == 2 ? CacheType::F32 : CacheType::F16, {RopeStyle::Half, dim % 3 == 0, true});
    odd.shift = 1;
    decodeInOne(odd, CacheType::F32, {});
  }
}

TEST_P(AttentionKernels, PrefillOverHeadDims) {
  for (CacheType type : {CacheType::F32, CacheType::F16, CacheType::Q8})
    for (uint32_t dim : {4u, 8u, 12u, 16u, 32u, 64u, 80u, 128u, 256u})
      prefill({3, 1, dim, 48, 5, 37}, type);
}

TEST_P(AttentionKernels, PrefillOverLengths) {
  for (uint32_t rows : {1u, 31u, 33u, 127u})
    for (uint32_t position : {0u, 1u, 127u}) {
      prefill({4, 2, 16, 300, position, rows}, CacheType::F32);
      prefill({2, 2, 64, 300, position, rows}, CacheType::F32);
    }
}

TEST_P(AttentionKernels, PrefillVariants) {
  for (uint32_t dim : {16u, 64u}) {
    Shape s{4, 2, dim, 200, 50, 70};
    for (uint32_t window : {1u, 7u, 64u, 500u}) {
      s.window = window;
      prefill(s, CacheType::F32);
    }
    s.softcap = true;
    prefill(s, CacheType::F32);
    s.sinks = true;
    prefill(s, CacheType::F16);
    s.softcap = s.causal = false;
    for (uint32_t window : {0u, 1u, 7u, 64u, 500u}) { // to both sides
      s.window = window;
      prefill(s, CacheType::F32);
    }
    prefill({4, 2, dim, 200, 0, 130, 9, /*causal=*/false}, CacheType::F16);
  }
}

TEST_P(AttentionKernels, ChunksAndBiasesByDistance) {
  for (uint32_t dim : {16u, 64u}) {
    Shape s{6, 2, dim, 300, 50, 70};
    for (uint32_t chunk : {1u, 16u, 100u, 500u}) {
      s.chunk = chunk;
      prefill(s, CacheType::F32);
    }
    s.alibi = 8;
    for (CacheType type : {CacheType::F16, CacheType::Q8})
      prefill(s, type);
    s.chunk = 0;
    prefill(s, CacheType::F32);
    for (CacheType type : {CacheType::F32, CacheType::F16, CacheType::Q8})
      for (uint32_t context : {256u, 600u}) {
        Shape one{6, 3, dim, context, context - 20, 1};
        one.alibi = 8;
        decode(one, type);
        one.chunk = 48;
        decode(one, type);
        one.alibi = 0;
        decode(one, type);
      }
    releaseBuffers();
  }
}

TEST_P(AttentionKernels, TablesOfBiases) {
  for (CacheType type : {CacheType::F32, CacheType::F16})
    for (uint32_t dim : {8u, 64u, 160u}) {
      Shape s{6, 2, dim, 300, 50, 70};
      s.bias = true;
      prefill(s, type);
      s.causal = false;
      prefill(s, type);
      s.position = 0, s.rows = 300;
      prefill(s, type);
      for (uint32_t context : {256u, 600u}) {
        Shape one{6, 3, dim, context, context - 20, 1};
        one.bias = true;
        decode(one, type);
        one.position = 0;
        decode(one, type);
      }
    }
}

TEST_P(AttentionKernels, KeysOfASource) {
  for (CacheType type : {CacheType::F32, CacheType::Q8})
    for (uint32_t dim : {8u, 64u, 160u})
      for (uint32_t source : {1u, 31u, 250u}) {
        Shape s{6, 2, dim, 300, 5, 40};
        s.source = source;
        prefill(s, type);
        s.context = 256;
        s.rows = 1;
        decode(s, type);
        s.context = 600;
        s.source = source * 2;
        decode(s, type);
      }
}

TEST_P(AttentionKernels, DecodeOverHeadDims) {
  for (CacheType type : {CacheType::F32, CacheType::F16, CacheType::Q8})
    for (uint32_t dim : {4u, 8u, 12u, 16u, 64u, 80u, 128u, 256u}) {
      decode({3, 1, dim, 256, 70, 1}, type);
      decode({3, 1, dim, 600, 599, 1}, type);
    }
}

TEST_P(AttentionKernels, DecodeOverPositionsAndVariants) {
  for (uint32_t position : {0u, 1u, 31u, 255u, 256u, 511u, 512u, 1000u}) {
    Shape s{4, 2, 16, 1100, position, 1};
    decode(s, CacheType::F32);
    for (uint32_t window : {1u, 7u, 300u}) {
      s.window = window;
      decode(s, CacheType::F32);
    }
    s.softcap = s.sinks = true;
    decode(s, CacheType::F16);
    s.context = 256;
    if (position < 256)
      decode(s, CacheType::F16);
  }
}

// The CPU promises more than Vulkan: a row has the same bits whether it comes in a chunk of any size, one by one, or by
// decode and combine.
class AttentionBits : public AttentionKernels {
protected:
  void check(const Shape &s, CacheType type) {
    SCOPED_TRACE("d=" + std::to_string(s.dim) + " heads=" + std::to_string(s.heads) +
                 " context=" + std::to_string(s.context) + " window=" + std::to_string(s.window));
    const uint32_t width = paddedWidth(s.heads * s.dim);
    Matrix q = randomMatrix(s.rows, s.heads * s.dim, WeightType::F32, 3);
    const float *queries = activations(q, {width, 0})->as<float>();
    TestBuffer *keys = upload(randomCache(s.kvHeads, s.context, s.dim, type), s.position + s.rows, type, true);
    TestBuffer *values = upload(randomCache(s.kvHeads, s.context, s.dim, type), s.position + s.rows, type, false);
    TestBuffer *sinks = vector(randomVector(s.heads, 2));
    AttentionPrefillSpec spec{s.dim, type, true, s.softcap, s.sinks};
    AttentionPrefillParams p;
    p.numHeads = s.heads, p.numKvHeads = s.kvHeads, p.maxContext = s.context, p.maxRows = s.rows;
    p.scale = 1 / std::sqrt(float(s.dim)), p.softcap = 0.7f, p.window = s.window, p.chunk = s.chunk, p.alibi = s.alibi;
    p.q = p.out = {width, 0};
    auto inChunks = [&](uint32_t size) {
      std::vector<float> result;
      for (uint32_t from = 0; from < s.rows; from += size) {
        const uint32_t rows = std::min(size, s.rows - from);
        TestBuffer *query = floats(size_t(rows) * width), *out = floats(size_t(rows) * width);
        std::copy_n(queries + size_t(from) * width, size_t(rows) * width, query->as<float>());
        std::vector<TestBuffer *> bound = {state(s.position + from, rows), query, keys, values, out};
        if (s.sinks)
          bound.push_back(sinks);
        run(spec, p, bound);
        result.insert(result.end(), out->as<float>(), out->as<float>() + size_t(rows) * width);
      }
      return result;
    };
    const std::vector<float> whole = inChunks(s.rows);
    for (uint32_t size : {1u, 7u, 16u})
      ASSERT_EQ(std::memcmp(whole.data(), inChunks(size).data(), whole.size() * 4), 0) << "chunks of " << size;
    const bool single = decodeSplits(s.context) == 1;
    AttentionDecodeSpec decode{s.dim, type, single, s.softcap, s.sinks && single};
    AttentionDecodeParams d;
    d.numHeads = s.heads, d.numKvHeads = s.kvHeads, d.maxContext = s.context, d.scale = p.scale,
    d.softcap = p.softcap, d.window = s.window;
    AttentionCombineSpec combine{s.dim, s.sinks};
    AttentionCombineParams c;
    c.numHeads = s.heads, c.maxContext = s.context, c.window = s.window;
    for (uint32_t row = 0; row < s.rows; row += 5) {
      TestBuffer *now = state(s.position + row, 1), *out = floats(width);
      TestBuffer *partial = single ? out : floats(decodePartialFloats(s.heads, s.dim, s.context));
      TestBuffer *query = floats(width);
      std::copy_n(queries + size_t(row) * width, width, query->as<float>());
      std::vector<TestBuffer *> bound = {now, query, keys, values, partial};
      if (decode.sinks)
        bound.push_back(sinks);
      run(decode, d, bound);
      bound = {now, partial, out};
      if (s.sinks)
        bound.push_back(sinks);
      if (!single)
        run(combine, c, bound);
      ASSERT_EQ(std::memcmp(&whole[size_t(row) * width], out->as<void>(), width * 4), 0) << "row " << row;
    }
  }
};

TEST_P(AttentionBits, DoNotDependOnTheWayARowComes) {
  check({4, 2, 64, 200, 3, 41}, CacheType::F32);
  check({8, 1, 20, 256, 0, 37}, CacheType::F16);
  check({8, 2, 20, 300, 0, 37}, CacheType::Q8);
  check({4, 2, 64, 600, 250, 41}, CacheType::Q8);
  Shape s{3, 3, 128, 900, 490, 45};
  check(s, CacheType::F32);
  s.window = 300, s.sinks = s.softcap = true;
  check(s, CacheType::F16);
  check({40, 1, 16, 600, 250, 19}, CacheType::F32); // more heads a group than one walk over the keys serves
}

TEST_P(AttentionBits, ManyHeadsAGroup) {
  prefill({128, 1, 8, 300, 250, 9}, CacheType::F32);
  prefill({70, 2, 12, 300, 0, 5}, CacheType::F16);
  decode({128, 1, 8, 300, 270, 1}, CacheType::F32);
  decode({70, 2, 12, 256, 100, 1}, CacheType::F16);
}

// Head sizes that vectors of four do not divide, rows that begin anywhere, and both.
TEST_P(AttentionKernels, AnyHeadDimAnywhere) {
  for (uint32_t dim : {1u, 3u, 6u, 10u, 14u, 18u, 33u, 75u, 255u}) {
    prefill({3, 1, dim, 48, 5, 37}, CacheType::F32);
    decode({3, 1, dim, 256, 70, 1}, CacheType::F32);
    decode({3, 1, dim, 600, 599, 1}, CacheType::F16);
  }
  for (uint32_t dim : {6u, 16u, 96u, 100u, 192u}) {
    Shape s{3, 1, dim, 300, 5, 37};
    for (uint32_t shift : {0u, 1u, 2u, 3u}) {
      s.shift = shift;
      s.rows = 37;
      prefill(s, shift == 2 ? CacheType::F16 : CacheType::F32);
      s.rows = 1;
      decode(s, CacheType::F32);
    }
    s.window = 7, s.softcap = s.sinks = true;
    s.context = 256;
    decode(s, CacheType::F32);
    s.rows = 37;
    prefill(s, CacheType::F32);
  }
}

TEST_P(AttentionKernels, ManyHeadsAKeyValueHead) {
  for (uint32_t heads : {1u, 71u, 128u}) {
    prefill({heads, 1, 10, 24, 3, 17}, CacheType::F32);
    prefill({heads, 1, 8, 24, 3, 17}, CacheType::F32);
    decode({heads, 1, 8, 256, 20, 1}, CacheType::F32);
  }
  prefill({128, 2, 128, 24, 3, 9}, CacheType::F32);
  decode({128, 2, 256, 512, 300, 1}, CacheType::F16);
}

TEST_P(AttentionKernels, RopeAndCache) {
  struct Case {
    RopeStyle style;
    uint32_t dim, rotary;
    bool qNorm, kNorm, unitOffset, oneBuffer;
    uint32_t shift = 0; // of offsets and strides
  };
  std::vector<Case> cases = {
      {RopeStyle::Half, 16, 16, false, false, false, true},
      {RopeStyle::Half, 12, 12, false, false, false, false},
      {RopeStyle::Half, 64, 32, false, false, false, true},
      {RopeStyle::Interleaved, 8, 8, false, false, false, true},
      {RopeStyle::Interleaved, 80, 24, false, false, false, false},
      {RopeStyle::Half, 128, 128, true, true, false, true},
      {RopeStyle::Half, 256, 256, true, true, true, false},
      {RopeStyle::None, 20, 0, false, false, false, true},
      {RopeStyle::None, 16, 0, true, true, false, true},
      {RopeStyle::Half, 16, 16, false, true, false, true},
      {RopeStyle::Half, 1, 0, false, false, false, true},
      {RopeStyle::Half, 6, 6, false, false, false, true},
      {RopeStyle::Interleaved, 10, 10, false, false, false, false},
      {RopeStyle::Half, 14, 4, true, true, false, true},
      {RopeStyle::Interleaved, 18, 18, true, false, true, false},
      {RopeStyle::None, 33, 0, false, true, false, true},
      {RopeStyle::Half, 75, 74, false, true, false, false},
      {RopeStyle::None, 255, 0, true, true, false, true},
      {RopeStyle::Half, 16, 16, true, true, false, false, 1},
      {RopeStyle::Half, 96, 96, false, false, false, true, 2},
      {RopeStyle::None, 100, 0, false, false, false, false, 3},
  };
  for (const Case &c : cases)
    for (CacheType type : {CacheType::F32, CacheType::F16, CacheType::Q8})
      for (uint32_t rows : {1u, 31u}) {
        RopeCacheSpec spec{type, c.style, c.qNorm, c.kNorm, c.unitOffset,
                           c.dim % 4 != 0 || c.shift != 0};
        SCOPED_TRACE(spec.name() + " d=" + std::to_string(c.dim) + " rows=" + std::to_string(rows));
        uint32_t heads = 3, kvHeads = 2, context = 40, position = 6, d = c.dim;
        Matrix q = randomMatrix(rows, heads * d), keys = randomMatrix(rows, kvHeads * d),
               values = randomMatrix(rows, kvHeads * d),
               table = randomMatrix(context, std::max(c.rotary, 1u));
        auto qw = randomVector(d), kw = randomVector(d);
        auto turn = [&](Matrix m, uint32_t count, bool norm, const std::vector<float> &w) {
          for (uint32_t t = 0; t < rows; ++t)
            for (uint32_t h = 0; h < count; ++h) {
              float *x = &m.values[size_t(t) * m.cols + h * d];
              std::vector<double> in(x, x + d);
              double squares = 0;
              for (double v : in)
                squares += v * v / d;
              for (uint32_t e = 0; e < d && norm; ++e)
                in[e] *= (c.unitOffset ? 1 + double(w[e]) : w[e]) / std::sqrt(squares + 1e-6);
              std::vector<double> out = in;
              uint32_t half = c.rotary / 2;
              for (uint32_t j = 0; j < half; ++j) {
                uint32_t a = c.style == RopeStyle::Half ? j : 2 * j,
                         b = c.style == RopeStyle::Half ? j + half : 2 * j + 1;
                double cosine = table.at(position + t, j), sine = table.at(position + t, half + j);
                out[a] = in[a] * cosine - in[b] * sine;
                out[b] = in[b] * cosine + in[a] * sine;
              }
              std::copy(out.begin(), out.end(), x);
            }
          return m;
        };
        RopeCacheParams p;
        p.numHeads = heads, p.numKvHeads = kvHeads, p.headDim = d, p.rotaryDim = c.rotary;
        p.maxContext = context, p.maxRows = rows + 2, p.eps = 1e-6f;
        uint32_t all = paddedWidth((heads + 2 * kvHeads) * d) + c.shift;
        TestBuffer *qBuffer, *kBuffer, *vBuffer;
        if (c.oneBuffer) {
          p.q = {all, 0}, p.k = {all, heads * d}, p.v = {all, (heads + kvHeads) * d};
          qBuffer = kBuffer = vBuffer = floats(size_t(all) * (rows + 2));
          std::fill_n(qBuffer->as<float>(), qBuffer->bytes / 4, 0.0f);
          for (uint32_t t = 0; t < rows; ++t) {
            float *row = qBuffer->as<float>() + size_t(t) * all;
            std::copy_n(&q.values[size_t(t) * q.cols], q.cols, row);
            std::copy_n(&keys.values[size_t(t) * keys.cols], keys.cols, row + p.k.offset);
            std::copy_n(&values.values[size_t(t) * keys.cols], keys.cols, row + p.v.offset);
          }
        } else {
          p.q = {paddedWidth(heads * d) + c.shift, 8 + c.shift};
          p.k = {paddedWidth(kvHeads * d), c.shift};
          p.v = {paddedWidth(kvHeads * d) + 8, 4};
          qBuffer = activations(q, p.q), kBuffer = activations(keys, p.k),
          vBuffer = activations(values, p.v);
        }
        ASSERT_EQ(p.unaligned(), spec.unaligned);
        size_t element = cacheElementBytes(type), padded = paddedWidth(d);
        TestBuffer *kCache = bytes(cacheBytes(kvHeads, context, padded, true, type)),
                     *vCache = bytes(cacheBytes(kvHeads, context, padded, false, type));
        std::vector<TestBuffer *> bound = {
            state(position, rows), qBuffer, kBuffer, vBuffer, kCache, vCache};
        if (c.style != RopeStyle::None)
          bound.push_back(rowMajor(table, WeightType::F32));
        if (c.qNorm)
          bound.push_back(vector(qw));
        if (c.kNorm)
          bound.push_back(vector(kw));
        run(spec, p, bound);

        Matrix turned = turn(q, heads, c.qNorm, qw);
        for (uint32_t t = 0; t < rows; ++t)
          for (uint32_t e = 0; e < heads * d; ++e)
            ASSERT_NEAR(qBuffer->as<float>()[p.q.offset + size_t(t) * p.q.stride + e],
                        turned.at(t, e), 1e-5)
                << t << " " << e;
        auto expectCache = [&](TestBuffer *cache, const Matrix &m, double tolerance) {
          for (uint32_t h = 0; h < kvHeads; ++h)
            for (uint32_t at = 0; at < context; ++at)
              for (uint32_t e = 0; e < padded; ++e) {
                size_t i = cacheIndex(h, at, e, context, padded, cache == kCache);
                if (at < position || at >= position + rows) {
                  ASSERT_EQ(cache->as<uint8_t>()[i * element], 0xA5)
                      << "position " << at << " was written";
                  continue;
                }
                float want = e < d ? m.at(at - position, h * d + e) : 0.0f;
                if (type == CacheType::Q8) { // to the nearest multiple of the scale
                  const float scale = scaleOf(cache, h, at, kvHeads, context, padded, cache == kCache);
                  float most = 0;
                  for (uint32_t c = 0; c < d; ++c)
                    most = std::max(most, std::abs(m.at(at - position, h * d + c)));
                  ASSERT_NEAR(scale, most / 127, 1e-5 * (1 + most) / 127);
                  ASSERT_NEAR(scale * cache->as<int8_t>()[i], want, scale / 2 + 1e-5 * (1 + most)) << h << " " << at << " " << e;
                  continue;
                }
                float got = type == CacheType::F32 ? cache->as<float>()[i]
                                                   : fromHalf(cache->as<uint16_t>()[i]);
                ASSERT_NEAR(got, want, tolerance * (1 + std::abs(want)))
                    << h << " " << at << " " << e;
              }
        };
        double tolerance = type == CacheType::F32 ? 1e-5 : 1e-3;
        expectCache(kCache, turn(keys, kvHeads, c.kNorm, kw), tolerance);
        expectCache(vCache, values, type == CacheType::F32 ? 0 : tolerance);
      }
}

XFMR_ON_EVERY_TARGET(AttentionKernels);
XFMR_ON_TARGETS(AttentionBits, cpuTargets());
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AttentionBits); // without levels

} // namespace
} // namespace xfmr::codegen::test
