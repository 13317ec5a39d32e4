// A token's attention in one dispatch.
#include "test/codegen/AttentionTest.h"

namespace xfmr::codegen::test {
namespace {

class AttentionInOne : public AttentionKernels {
protected:
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

TEST_P(AttentionInOne, DecodeInOneDispatch) {
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

XFMR_ON_EVERY_TARGET(AttentionInOne);

} // namespace
} // namespace xfmr::codegen::test
