// rope_cache against the formulas of its header in f64.
#include "test/codegen/AttentionTest.h"

namespace xfmr::codegen::test {
namespace {

class RopeCacheKernel : public AttentionKernels {};

TEST_P(RopeCacheKernel, TurnsAndStores) {
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

XFMR_ON_EVERY_TARGET(RopeCacheKernel);

} // namespace
} // namespace xfmr::codegen::test
