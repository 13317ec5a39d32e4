// The kernels of latent attention on rows of the cache that are keys and values at once, against their formulas in f64: products of
// heads, what turns and the cache, wide heads of one key head, and keys and values expanded from the rows.
#include "passes/codegen/Attention.h"
#include "passes/codegen/HeadProduct.h"
#include "passes/codegen/LatentExpand.h"
#include "passes/codegen/RopeCache.h"
#include "test/codegen/KernelTest.h"

namespace xfmr::codegen::test {
namespace {

class LatentKernels : public KernelTest {
protected:
  static float stored(float v, CacheType type) { return type == CacheType::F16 ? fromHalf(toHalf(v)) : v; }

  // Rows of the cache up to `filled`; what lies beyond is NaN.
  TestBuffer *cache(Matrix &rows, uint32_t context, CacheType type) {
    const uint32_t padded = paddedWidth(rows.cols);
    TestBuffer *buffer = bytes(size_t(context) * padded * cacheElementBytes(type));
    for (uint32_t p = 0; p < context; ++p)
      for (uint32_t c = 0; c < padded; ++c) {
        const float v = p >= rows.rows ? NAN : c < rows.cols ? rows.at(p, c) : 0.0f;
        if (type == CacheType::F32)
          buffer->as<float>()[size_t(p) * padded + c] = v;
        else
          buffer->as<uint16_t>()[size_t(p) * padded + c] = toHalf(v);
      }
    return buffer;
  }
  Matrix randomRows(uint32_t count, uint32_t width, CacheType type) {
    Matrix m = randomMatrix(count, width);
    for (float &v : m.values)
      v = stored(v, type);
    return m;
  }

  // The same as codes and scales; `rows` become what they mean.
  TestBuffer *codes(Matrix &rows, uint32_t context) {
    TestBuffer *buffer = bytes(size_t(context) * rows.cols + 4 * cacheScales(context));
    for (uint32_t p = 0; p < rows.rows; ++p) {
      const float scale = uniform(0.004f, 0.008f);
      std::memcpy(buffer->as<uint8_t>() + size_t(context) * rows.cols + 4 * p, &scale, 4);
      for (uint32_t c = 0; c < rows.cols; ++c) {
        const int code = static_cast<int>(rows.at(p, c) * 127);
        buffer->as<int8_t>()[size_t(p) * rows.cols + c] = static_cast<int8_t>(code);
        rows.values[size_t(p) * rows.cols + c] = static_cast<float>(code) * scale;
      }
    }
    return buffer;
  }

  // Row t of q at position filled - rows + t.
  static Matrix attended(const Matrix &q, const Matrix &cached, uint32_t heads, double scale) {
    const uint32_t width = cached.cols;
    Matrix out{q.rows, q.cols, std::vector<float>(q.values.size())};
    for (uint32_t t = 0; t < q.rows; ++t)
      for (uint32_t h = 0; h < heads; ++h) {
        const uint32_t keys = cached.rows - q.rows + t + 1;
        std::vector<double> weights(keys);
        double largest = -INFINITY, total = 0;
        for (uint32_t j = 0; j < keys; ++j) {
          for (uint32_t c = 0; c < width; ++c)
            weights[j] += double(q.at(t, h * width + c)) * cached.at(j, c);
          largest = std::max(largest, weights[j] *= scale);
        }
        for (double &w : weights)
          total += w = std::exp(w - largest);
        for (uint32_t c = 0; c < width; ++c) {
          double sum = 0;
          for (uint32_t j = 0; j < keys; ++j)
            sum += weights[j] / total * cached.at(j, c);
          out.values[size_t(t) * q.cols + h * width + c] = static_cast<float>(sum);
        }
      }
    return out;
  }
};

TEST_P(LatentKernels, HeadsHaveTheirOwnProduct) {
  for (WeightType type : {WeightType::F32, WeightType::F16, WeightType::BF16})
    for (uint32_t rows : {1u, 3u, 101u}) {
      const uint32_t heads = 5, n = 24, k = 40, copied = 8, before = 16;
      HeadProductSpec spec{type, rows == 1};
      HeadProductParams p;
      p.numHeads = heads, p.n = n, p.k = k, p.copied = copied, p.xHead = before + k, p.outHead = copied + n;
      p.maxRows = rows == 1 ? 1 : rows + 2;
      p.x = {heads * p.xHead + 8, before}, p.out = {heads * p.outHead + 16, 8 + copied};
      ASSERT_EQ(p.fault(spec), "");
      SCOPED_TRACE(spec.name() + " rows=" + std::to_string(rows));
      const Matrix x = randomMatrix(rows, heads * p.xHead), w = randomMatrix(heads * n, k, type);
      Matrix expected{rows, heads * p.outHead, std::vector<float>(size_t(rows) * heads * p.outHead)};
      for (uint32_t t = 0; t < rows; ++t)
        for (uint32_t h = 0; h < heads; ++h)
          for (uint32_t i = 0; i < p.outHead; ++i) {
            double sum = i < copied ? x.at(t, h * p.xHead + before - copied + i) : 0;
            for (uint32_t c = 0; i >= copied && c < k; ++c)
              sum += double(w.at(h * n + i - copied, c)) * x.at(t, h * p.xHead + before + c);
            expected.values[(size_t(t) * heads + h) * p.outHead + i] = static_cast<float>(sum);
          }
      TestBuffer *out = floats(p.out.offset + size_t(rows + 2) * p.out.stride);
      run(spec, p, {state(7, rows), activations(x, {p.x.stride, 0}), weight(w, type, heads), out});
      expectRows(out, {p.out.stride, p.out.offset - copied}, expected, 2e-5);
      expectUntouched(out, p.out.offset - copied + size_t(rows) * p.out.stride,
                      p.out.offset + size_t(rows + 2) * p.out.stride);
    }
}

TEST_P(LatentKernels, PrefillOverWidths) {
  for (CacheType type : {CacheType::F32, CacheType::F16})
    for (uint32_t width : {16u, 72u, 128u, 320u, 576u})
      for (uint32_t heads : {3u, 16u}) {
        AttentionPrefillSpec spec;
        spec.headDim = width, spec.cache = type, spec.latent = true;
        const uint32_t rows = 21, filled = 300, context = 320;
        SCOPED_TRACE(spec.name() + " heads=" + std::to_string(heads));
        const Matrix q = randomMatrix(rows, heads * width, WeightType::F32, 2);
        Matrix cached = randomRows(filled, width, type);
        AttentionPrefillParams p;
        p.numHeads = heads, p.numKvHeads = 1, p.maxContext = context, p.maxRows = rows + 1;
        p.q = {heads * width + 8, 8}, p.out = {heads * width, 0}, p.scale = 1 / std::sqrt(float(width));
        TestBuffer *keys = cache(cached, context, type);
        const Matrix expected = attended(q, cached, heads, p.scale);
        for (size_t variant = 0; variant < variants(spec); ++variant) {
          TestBuffer *out = floats(size_t(rows + 1) * p.out.stride);
          run(spec, p, {state(filled - rows, rows), activations(q, p.q), keys, keys, out}, int(variant));
          expectRows(out, p.out, expected, 1e-5);
        }
        releaseBuffers();
      }
}

TEST_P(LatentKernels, DecodeOverWidthsAndSplits) {
  for (CacheType type : {CacheType::F32, CacheType::F16})
    for (uint32_t width : {16u, 72u, 320u, 576u})
      for (uint32_t context : {200u, 600u}) {
        const uint32_t heads = 48, filled = context - 30;
        AttentionDecodeSpec spec;
        spec.headDim = width, spec.cache = type, spec.single = decodeSplits(context) == 1, spec.latent = true;
        SCOPED_TRACE(spec.name());
        const Matrix q = randomMatrix(1, heads * width, WeightType::F32, 2);
        Matrix cached = randomRows(filled, width, type);
        AttentionDecodeParams p;
        p.numHeads = heads, p.numKvHeads = 1, p.maxContext = context, p.scale = 1 / std::sqrt(float(width));
        TestBuffer *keys = cache(cached, context, type), *now = state(filled - 1, 1), *out = floats(heads * width);
        TestBuffer *partial = spec.single ? out : floats(decodePartialFloats(heads, width, context));
        run(spec, p, {now, activations(q, {heads * width, 0}), keys, keys, partial});
        if (!spec.single) {
          AttentionCombineSpec combine;
          combine.headDim = width;
          AttentionCombineParams c;
          c.numHeads = heads, c.maxContext = context;
          run(combine, c, {now, partial, out});
        }
        expectRows(out, {heads * width, 0}, attended(q, cached, heads, p.scale), 1e-5);
        releaseBuffers();
      }
}

TEST_P(LatentKernels, TurnedKeyAndLatentAreOneRow) {
  for (CacheType type : {CacheType::F32, CacheType::F16, CacheType::Q8})
    for (uint32_t shift : {0u, 1u}) {
      const uint32_t heads = 3, turned = 8, latent = 24, width = turned + latent, rows = 5, position = 4, context = 16;
      RopeCacheSpec spec;
      spec.cache = type, spec.style = RopeStyle::Interleaved, spec.latent = true, spec.unaligned = shift != 0;
      RopeCacheParams p;
      p.numHeads = heads, p.numKvHeads = 1, p.headDim = width, p.rotaryDim = turned, p.maxContext = context,
      p.maxRows = rows + 1;
      p.q = {heads * width, 0}, p.k = {turned + 8 + shift, shift}, p.v = {latent + 8, 4}, p.qHead = width;
      ASSERT_EQ(p.fault(spec), "");
      SCOPED_TRACE(spec.name());
      const Matrix q = randomMatrix(rows, heads * width), k = randomMatrix(rows, turned),
                   v = randomMatrix(rows, latent), table = randomMatrix(context, turned);
      auto turn = [&](const float *in, uint32_t at, float *out) {
        for (uint32_t i = 0; i < turned / 2; ++i) {
          const float c = table.at(at, i), s = table.at(at, turned / 2 + i);
          out[2 * i] = in[2 * i] * c - in[2 * i + 1] * s, out[2 * i + 1] = in[2 * i + 1] * c + in[2 * i] * s;
        }
      };
      const size_t bytesOfRows = size_t(context) * width * cacheElementBytes(type);
      TestBuffer *query = activations(q, p.q),
                 *cached = bytes(bytesOfRows + (type == CacheType::Q8 ? 4 * cacheScales(context) : 0));
      run(spec, p,
          {state(position, rows), query, activations(k, p.k), activations(v, p.v), cached,
           rowMajor(table, WeightType::F32)});
      Matrix wanted = q;
      for (uint32_t t = 0; t < rows; ++t)
        for (uint32_t h = 0; h < heads; ++h)
          turn(&q.values[size_t(t) * q.cols + h * width], position + t, &wanted.values[size_t(t) * q.cols + h * width]);
      expectRows(query, p.q, wanted, 1e-5);
      for (uint32_t t = 0; t < rows; ++t) {
        std::vector<float> row(v.values.begin() + t * latent, v.values.begin() + (t + 1) * latent);
        row.insert(row.begin(), turned, 0.0f);
        turn(&k.values[size_t(t) * turned], position + t, row.data());
        float scale = 1;
        if (type == CacheType::Q8)
          std::memcpy(&scale, cached->as<uint8_t>() + bytesOfRows + 4 * (position + t), 4);
        for (uint32_t c = 0; c < width; ++c) {
          const size_t at = size_t(position + t) * width + c;
          const float got = type == CacheType::F32   ? cached->as<float>()[at]
                            : type == CacheType::F16 ? fromHalf(cached->as<uint16_t>()[at])
                                                     : scale * cached->as<int8_t>()[at];
          ASSERT_NEAR(got, row[c],
                      type == CacheType::F32   ? 1e-5
                      : type == CacheType::F16 ? 1e-3
                                               : scale / 2 + 1e-5)
              << t << " " << c;
        }
      }
    }
}

// Heads of queries may lie closer together than a row of the cache is wide: those of the expanded form.
TEST_P(LatentKernels, QueriesTurnWhereTheirHeadsLie) {
  const uint32_t heads = 3, head = 16, turned = 8, latent = 24, position = 2, context = 8;
  RopeCacheSpec spec;
  spec.style = RopeStyle::Half, spec.latent = true;
  RopeCacheParams p;
  p.numHeads = heads, p.numKvHeads = 1, p.headDim = turned + latent, p.rotaryDim = turned, p.maxContext = context,
  p.maxRows = 1;
  p.q = {heads * head, 0}, p.k = {turned, 0}, p.v = {latent, 0}, p.qHead = head;
  ASSERT_EQ(p.fault(spec), "");
  const Matrix q = randomMatrix(1, heads * head), k = randomMatrix(1, turned), v = randomMatrix(1, latent),
               table = randomMatrix(context, turned);
  TestBuffer *query = activations(q, p.q), *cached = floats(context * p.headDim);
  run(spec, p,
      {state(position, 1), query, activations(k, p.k), activations(v, p.v), cached, rowMajor(table, WeightType::F32)});
  Matrix wanted = q;
  for (uint32_t h = 0; h < heads; ++h)
    for (uint32_t i = 0; i < turned / 2; ++i) {
      const float c = table.at(position, i), s = table.at(position, turned / 2 + i);
      const float a = q.at(0, h * head + i), b = q.at(0, h * head + turned / 2 + i);
      wanted.values[h * head + i] = a * c - b * s, wanted.values[h * head + turned / 2 + i] = b * c + a * s;
    }
  expectRows(query, p.q, wanted, 1e-5);
}

TEST_P(LatentKernels, KeysAndValuesAreExpanded) {
  for (CacheType cacheType : {CacheType::F32, CacheType::F16, CacheType::Q8})
    for (WeightType type : {WeightType::F32, WeightType::F16, WeightType::BF16})
      for (CacheType made : {CacheType::F32, CacheType::F16}) {
        const uint32_t heads = 3, head = 24, turned = 8, latent = 40, context = 112, filled = 101,
                       width = turned + latent;
        LatentExpandSpec spec{type, cacheType, made};
        LatentExpandParams p{heads, head, turned, latent, context};
        ASSERT_EQ(p.fault(spec), "");
        SCOPED_TRACE(spec.name());
        Matrix rows = randomRows(filled, width, cacheType);
        TestBuffer *cached = cacheType == CacheType::Q8 ? codes(rows, context) : cache(rows, context, cacheType);
        const Matrix w = randomMatrix(heads * p.outputs(), latent, type);
        const size_t element = cacheElementBytes(made), positions = (context + 15) / 16 * 16;
        TestBuffer *keys = bytes(heads * positions * head * element),
                   *values = bytes(heads * positions * head * element);
        run(spec, p, {state(filled - 11, 11), cached, weight(w, type, heads), keys, values});
        auto at = [&](TestBuffer *buffer, size_t i) {
          return made == CacheType::F32 ? buffer->as<float>()[i] : fromHalf(buffer->as<uint16_t>()[i]);
        };
        for (uint32_t h = 0; h < heads; ++h)
          for (uint32_t j = 0; j < filled; ++j)
            for (uint32_t i = 0; i < 2 * head; ++i) { // a key, then a value
              double wanted = i < turned ? rows.at(j, i) : 0;
              for (uint32_t c = 0; i >= turned && c < latent; ++c)
                wanted += double(w.at(h * p.outputs() + i - turned, c)) * rows.at(j, turned + c);
              const uint32_t column = i % head;
              const size_t row = (size_t(h) * context + j) * head + column,
                           panel = ((h * positions + j / 16 * 16) * head) + column * 16 + j % 16;
              const float got = i < head ? at(keys, onVulkan() ? row : panel) : at(values, row);
              // Sums of 40 products below 1; f16 rounds what is below 16 by 2^-8 at most.
              ASSERT_NEAR(got, wanted, made == CacheType::F32 ? 2e-5 : 4e-3) << h << " " << j << " " << i;
            }
        releaseBuffers();
      }
}

XFMR_ON_EVERY_TARGET(LatentKernels);

} // namespace
} // namespace xfmr::codegen::test
