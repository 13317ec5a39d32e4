// Bits of the attention kernels that do not depend on how rows come.
#include "test/codegen/AttentionTest.h"

namespace xfmr::codegen::test {
namespace {

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

XFMR_ON_TARGETS(AttentionBits, cpuTargets());
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AttentionBits); // without levels

} // namespace
} // namespace xfmr::codegen::test
