// gemv and gemm: odd sizes, the weight types, every epilogue, slices, splits, a count of 0.
#include "passes/codegen/Gemm.h"
#include "passes/codegen/Gemv.h"
#include "test/codegen/KernelTest.h"

namespace xfmr::codegen::test {
namespace {

class MatrixKernels : public KernelTest {
protected:
  // The operands of y = epilogue(W x) and what it should give, in f64.
  struct Case {
    Matrix x, w, residual, expected;
    std::vector<float> bias, norm;
  };

  Case make(uint32_t rows, uint32_t n, uint32_t k, WeightType type, const Epilogue &e,
            bool rmsNorm = false, bool unitOffset = false) {
    Case c{
        randomMatrix(rows, k), randomMatrix(n, k, type, 1 / std::sqrt(float(k))), {}, {}, {}, {}};
    uint32_t width = e.glu ? n / 2 : n;
    c.residual = randomMatrix(rows, width);
    c.bias = randomVector(n), c.norm = randomVector(k);
    c.expected = expected(c, e, rmsNorm, unitOffset);
    return c;
  }

  static Matrix expected(const Case &c, const Epilogue &e, bool rmsNorm = false, bool unitOffset = false) {
    const uint32_t rows = c.x.rows, n = c.w.rows, k = c.x.cols, width = c.residual.cols;
    Matrix result{rows, width, {}};
    for (uint32_t t = 0; t < rows; ++t) {
      double squares = 0;
      for (uint32_t i = 0; i < k; ++i)
        squares += double(c.x.at(t, i)) * c.x.at(t, i) / k;
      std::vector<double> sums(n);
      for (uint32_t r = 0; r < n; ++r) {
        for (uint32_t i = 0; i < k; ++i) {
          double x = c.x.at(t, i);
          if (rmsNorm)
            x *= (unitOffset ? 1 + double(c.norm[i]) : c.norm[i]) / std::sqrt(squares + 1e-5);
          sums[r] += x * c.w.at(r, i);
        }
        if (e.bias)
          sums[r] += c.bias[r];
      }
      for (uint32_t j = 0; j < width; ++j) {
        double v = e.glu ? referenceActivation(e.activation, sums[2 * j]) * sums[2 * j + 1]
                         : referenceActivation(e.activation, sums[j]);
        if (e.scale)
          v *= 0.75;
        if (e.softcap)
          v = 1.5 * std::tanh(v / 1.5);
        if (e.residual)
          v += c.residual.at(t, j);
        result.values.push_back(static_cast<float>(v));
      }
    }
    return result;
  }

  // As matrix units take it: x in f16. Products of two halves are exact in f32, so that the result is one of f32 sums
  // again, to the tolerance of f32 sums.
  static Matrix expectedOfHalves(Case c, const Epilogue &e) {
    for (float &v : c.x.values)
      v = fromHalf(toHalf(v));
    return expected(c, e);
  }

  void gemv(const GemvSpec &spec, uint32_t n, uint32_t k) {
    if (spec.rmsNorm && !onVulkan())
      return; // the CPU norms a row once, not in every tile
    SCOPED_TRACE(spec.name() + " n=" + std::to_string(n) + " k=" + std::to_string(k));
    Case c = make(1, n, k, spec.weight, spec.epilogue, spec.rmsNorm, spec.unitOffset);
    GemvParams p;
    p.n = n, p.k = k, p.xOffset = 8, p.outOffset = 4;
    p.epilogue.residual.offset = 12, p.epilogue.scale = 0.75f, p.epilogue.softcap = 1.5f;
    size_t size = p.outOffset + paddedWidth(c.expected.cols);
    std::vector<TestBuffer *> bound = {state(0, 1), activations(c.x, {0, 8}),
                                         weight(c.w, spec.weight), nullptr};
    if (spec.rmsNorm)
      bound.push_back(vector(c.norm));
    if (spec.epilogue.bias)
      bound.push_back(vector(c.bias));
    if (spec.epilogue.residual)
      bound.push_back(activations(c.residual, {0, 12}));
    for (size_t variant = 0; variant < variants(spec); ++variant) {
      SCOPED_TRACE(variantLabel(spec, variant));
      bound[0] = state(0, 1), bound[3] = floats(size);
      run(spec, p, bound, int(variant));
      expectRows(bound[3], {0, p.outOffset}, c.expected, 1e-5);
      bound[0] = state(0, 0), bound[3] = floats(size);
      run(spec, p, bound, int(variant));
      expectUntouched(bound[3], 0, size);
    }
  }

  void gemm(const GemmSpec &spec, uint32_t rows, uint32_t n, uint32_t k) {
    SCOPED_TRACE(spec.name() + " rows=" + std::to_string(rows) + " n=" + std::to_string(n) +
                 " k=" + std::to_string(k));
    Case c = make(rows, n, k, spec.weight, spec.epilogue);
    const Matrix ofHalves = spec.weight == WeightType::F16 ? expectedOfHalves(c, spec.epilogue) : c.expected;
    uint32_t width = paddedWidth(c.expected.cols);
    GemmParams p;
    p.n = n, p.k = k, p.maxRows = rows + 3;
    p.x = {paddedWidth(k) + 8, 8}, p.out = {width + 8, 4};
    p.epilogue.residual = {width + 16, 12}, p.epilogue.scale = 0.75f, p.epilogue.softcap = 1.5f;
    size_t size = p.out.offset + size_t(rows + 3) * p.out.stride;
    std::vector<TestBuffer *> bound = {state(3, rows), activations(c.x, p.x),
                                         weight(c.w, spec.weight), nullptr};
    if (spec.epilogue.bias)
      bound.push_back(vector(c.bias));
    if (spec.epilogue.residual)
      bound.push_back(activations(c.residual, p.epilogue.residual));
    for (size_t variant = 0; variant < variants(spec); ++variant) {
      SCOPED_TRACE(variantLabel(spec, variant));
      TestBuffer *out = bound[3] = floats(size);
      run(spec, p, bound, int(variant));
      const bool halves = variantLabel(spec, variant).rfind("cooperative_matrix", 0) == 0;
      expectRows(out, p.out, halves ? ofHalves : c.expected, 1e-5);
      expectUntouched(out, p.out.offset + rows * p.out.stride, size);
    }
  }

  static std::vector<Epilogue> epilogues() {
    std::vector<Epilogue> all(7);
    all[1].bias = true;
    all[2].residual = true;
    all[3].scale = all[3].residual = true;
    all[4].softcap = true;
    all[5].bias = all[5].residual = all[5].scale = all[5].softcap = true;
    all[5].activation = Activation::Gelu;
    all[6].glu = true; // bilinear
    for (Activation a : allActivations()) {
      if (!keepsZero(a))
        continue; // an epilogue on Vulkan keeps pads zero
      Epilogue e;
      e.activation = a;
      all.push_back(e);
      e.glu = true;
      e.bias = a == Activation::Silu;
      e.residual = a == Activation::Relu;
      all.push_back(e);
    }
    return all;
  }
};

constexpr WeightType kTypes[] = {WeightType::F32, WeightType::F16, WeightType::BF16};

TEST_P(MatrixKernels, GemvOverOddSizes) {
  for (WeightType type : kTypes)
    for (bool rms : {false, true})
      for (uint32_t n : {1u, 31u, 33u, 127u, 1000u})
        for (uint32_t k : {1u, 31u, 127u, 1000u})
          gemv({type, rms, false, {}}, n, k);
}

constexpr WeightType kQuantised[] = {WeightType::Q8,     WeightType::Q4,         WeightType::Q8Wide,
                                     WeightType::Q4Wide, WeightType::Q8Fine,     WeightType::Q6Fine,
                                     WeightType::Q4Fine, WeightType::Q8FineWide, WeightType::Q4FineWide};

// Values are sums of up to 1000 products of numbers up to 1 and 1 / sqrt(k), whose magnitudes add up to less than 16; of codes with a
// minimum the parts of scale and minimum are as large as twice that. Each of the roundings, 32 in a block's chain and one a block
// and lane, is 2^-24 of a sum below that, in both directions: sqrt(72) * 32 * 2^-24 is 1.6e-5 were all sums as large, but they grow
// from zero, and numbers of both signs keep them at a tenth.
TEST_P(MatrixKernels, GemvOfCodes) {
  if (!onVulkan())
    return; // CpuProductsTest has the CPU's, with bits
  for (WeightType type : kQuantised) {
    for (bool rms : {false, true})
      for (uint32_t n : {1u, 31u, 33u, 200u})
        for (uint32_t k : {1u, 31u, 40u, 127u, 1000u})
          gemv({type, rms, false, {}}, n, k);
    Epilogue glu;
    glu.glu = true, glu.activation = Activation::Silu, glu.residual = true;
    for (uint32_t n : {2u, 34u, 88u})
      gemv({type, true, true, glu}, n, 72);
    releaseBuffers();
  }
}

TEST_P(MatrixKernels, GemmOfCodes) {
  if (!onVulkan())
    return;
  for (WeightType type : kQuantised) {
    for (uint32_t rows : {1u, 31u, 65u})
      for (uint32_t n : {1u, 33u, 127u})
        for (uint32_t k : {1u, 31u, 40u, 127u})
          gemm({type, {}}, rows, n, k);
    gemm({type, {}}, 33, 40, 1000);
    Epilogue glu;
    glu.glu = true, glu.activation = Activation::Silu, glu.bias = true;
    for (uint32_t n : {2u, 34u, 88u})
      gemm({type, glu}, 19, n, 72);
    releaseBuffers();
  }
}

TEST_P(MatrixKernels, GemvEpilogues) {
  bool other = false; // a kernel of its own on the CPU for each pair: every epilogue meets two of the four sizes
  for (const Epilogue &e : epilogues()) {
    other = !other;
    for (uint32_t n : {other ? 2u : 24u, other ? 250u : 34u})
      gemv({WeightType::F32, false, false, e}, n, 72);
  }
  for (WeightType type : kTypes) {
    Epilogue glu;
    glu.glu = true, glu.activation = Activation::Silu;
    gemv({type, true, true, glu}, 88, 40);
  }
}

TEST_P(MatrixKernels, GemvOfAWeightSplitByRows) {
  Epilogue e;
  e.bias = e.residual = true;
  Case c = make(1, 80, 48, WeightType::F32, e);
  TestBuffer *out = floats(80), *x = activations(c.x, {}), *bias = vector(c.bias),
               *residual = activations(c.residual, {});
  for (uint32_t part : {0u, 1u}) {
    Matrix rows{
        40, 48, {c.w.values.begin() + part * 40 * 48, c.w.values.begin() + (part + 1) * 40 * 48}};
    GemvParams p;
    p.n = 40, p.k = 48,
    p.outOffset = p.epilogue.biasOffset = p.epilogue.residual.offset = part * 40;
    run(GemvSpec{WeightType::F32, false, false, e}, p,
        {state(0, 1), x, weight(rows, WeightType::F32), out, bias, residual});
  }
  expectRows(out, {}, c.expected, 1e-5);
}

// More workgroups than a dimension may have fold into two (lavapipe takes 65535).
TEST_P(MatrixKernels, GemvWithAFoldedGrid) {
  uint32_t n = 65536 * 32 + 40;
  Matrix w{n, 1, std::vector<float>(n)};
  for (uint32_t i = 0; i < n; ++i)
    w.values[i] = float(i % 1021);
  GemvParams p;
  p.n = n, p.k = 1;
  ASSERT_EQ(p.grid({})[0], 65538u);
  TestBuffer *out = floats(paddedWidth(n));
  run(GemvSpec{}, p, {state(0, 1), vector({2}), weight(w, WeightType::F32), out});
  for (uint32_t i = 0; i < n; ++i)
    ASSERT_EQ(out->as<float>()[i], 2 * float(i % 1021)) << i;
}

TEST_P(MatrixKernels, GemmOverOddSizes) {
  for (WeightType type : kTypes)
    for (uint32_t rows : {1u, 31u, 64u, 65u})
      for (uint32_t n : {1u, 33u, 127u})
        for (uint32_t k : {1u, 31u, 127u})
          gemm({type, {}}, rows, n, k);
  gemm({WeightType::F32, {}}, 127, 1000, 33);
  gemm({WeightType::BF16, {}}, 33, 40, 1000);
  gemm({WeightType::F16, {}}, 130, 200, 1000);
}

TEST_P(MatrixKernels, GemmEpilogues) {
  bool other = false;
  for (const Epilogue &e : epilogues()) {
    other = !other;
    for (uint32_t n : {other ? 24u : 2u, other ? 34u : 250u})
      gemm({WeightType::F32, e}, 19, n, 40);
  }
  for (bool glu : {false, true}) {
    Epilogue e;
    e.glu = glu, e.activation = Activation::Silu, e.bias = e.residual = true;
    for (uint32_t n : {2u, 34u, 250u})
      gemm({WeightType::F16, e}, 70, n, 72);
    gemm({WeightType::F16, e}, 47 * 64 + 1, 262, 40); // enough tiles for matrix units to take wide ones
  }
}

XFMR_ON_EVERY_TARGET(MatrixKernels);

} // namespace
} // namespace xfmr::codegen::test
