// Kernels that work row by row: embedding, norm, elementwise, top_k.
#include "passes/codegen/Elementwise.h"
#include "passes/codegen/Embedding.h"
#include "passes/codegen/Norm.h"
#include "passes/codegen/TopK.h"
#include "test/codegen/KernelTest.h"
#include <numeric>

namespace xfmr::codegen::test {
namespace {

class RowKernels : public KernelTest {};

TEST_P(RowKernels, EmbeddingOfEveryWeightType) {
  for (WeightType type : {WeightType::F32, WeightType::F16, WeightType::BF16, WeightType::Q8, WeightType::Q4,
                          WeightType::Q8Wide, WeightType::Q4Wide, WeightType::Q8Fine, WeightType::Q6Fine,
                          WeightType::Q4Fine, WeightType::Q8FineWide, WeightType::Q4FineWide})
    for (uint32_t width : {1u, 31u, 33u, 127u, 1000u}) {
      SCOPED_TRACE(std::string(toString(type)) + " width=" + std::to_string(width));
      Matrix table = randomMatrix(17, width, type);
      std::vector<uint32_t> tokens = {3, 16, 0, 99, 3}; // 99 is clamped to 16
      Matrix expected{4, width, {}};
      for (uint32_t t = 0; t < 4; ++t)
        for (uint32_t c = 0; c < width; ++c)
          expected.values.push_back(table.at(std::min(tokens[t], 16u), c));
      EmbeddingParams p;
      p.width = width, p.vocab = 17, p.tableRows = 17, p.maxRows = 5;
      p.out = {paddedWidth(width) + 8, 16};
      TestBuffer *out = floats(p.out.offset + 5 * p.out.stride);
      run(EmbeddingSpec{type}, p, {state(0, 4), ids(tokens), weight(table, type), out});
      // With scales of f32 a number is one multiply-add; where an instruction set has none (v2) it is rounded twice.
      expectRows(out, p.out, expected, schemeOf(type) && schemeOf(type)->scale == QuantScale::f32 ? 1e-7 : 0);
      expectUntouched(out, p.out.offset + 4 * p.out.stride, p.out.offset + 5 * p.out.stride);
    }
}

TEST_P(RowKernels, EmbeddingWithPositionsFromASplitTable) {
  uint32_t width = 24;
  Matrix table = randomMatrix(32, width), positions = randomMatrix(10, width);
  std::vector<uint32_t> tokens = {3, 31, 16};
  Matrix low{16, width, {table.values.begin(), table.values.begin() + 16 * width}};
  Matrix high{16, width, {table.values.begin() + 16 * width, table.values.end()}};
  Matrix expected{3, width, {}};
  for (uint32_t t = 0; t < 3; ++t)
    for (uint32_t c = 0; c < width; ++c)
      expected.values.push_back(table.at(tokens[t], c) + positions.at(std::min(8 + t, 9u), c));
  EmbeddingParams p;
  p.width = width, p.vocab = 32, p.tableRows = 16, p.maxRows = 3, p.maxPosition = 10;
  p.out = {width, 0};
  TestBuffer *out = floats(3 * width), *position = weight(positions, WeightType::F32);
  EmbeddingSpec spec{WeightType::F32, true};
  run(spec, p, {state(8, 3), ids(tokens), weight(low, WeightType::F32), out, position});
  p.firstRow = 16;
  run(spec, p, {state(8, 3), ids(tokens), weight(high, WeightType::F32), out, position});
  expectRows(out, p.out, expected, 1e-7);
}

Matrix referenceNorm(const NormSpec &spec, const Matrix &x, uint32_t width,
                     const std::vector<float> &w, const std::vector<float> &b, double eps) {
  Matrix y = x;
  for (uint32_t r = 0; r < x.rows; ++r)
    for (uint32_t g = 0; g < x.cols / width; ++g) {
      double mean = 0, variance = 0;
      for (uint32_t c = 0; c < width; ++c)
        mean += x.at(r, g * width + c) / double(width);
      if (spec.kind == NormKind::Rms)
        mean = 0;
      for (uint32_t c = 0; c < width; ++c)
        variance += std::pow(x.at(r, g * width + c) - mean, 2) / width;
      for (uint32_t c = 0; c < width; ++c) {
        double v = (x.at(r, g * width + c) - mean) / std::sqrt(variance + eps);
        v *= spec.unitOffset ? 1 + double(w[c]) : w[c];
        if (spec.bias)
          v += b[c];
        y.values[size_t(r) * x.cols + g * width + c] = static_cast<float>(v);
      }
    }
  return y;
}

TEST_P(RowKernels, NormOfWholeRows) {
  for (NormKind kind : {NormKind::Rms, NormKind::Layer})
    for (int form = 0; form < 3; ++form)
      for (uint32_t width : {1u, 31u, 33u, 127u, 1000u}) {
        NormSpec spec{kind};
        spec.bias = form == 1, spec.unitOffset = form == 2 && kind == NormKind::Rms;
        Matrix x = randomMatrix(5, width);
        for (float &v : x.values)
          v += 3; // a mean that layer_norm must take away without losing the rest
        auto w = randomVector(width), b = randomVector(width);
        NormParams p;
        p.width = width, p.maxRows = 6, p.eps = 1e-5f;
        p.x = {paddedWidth(width) + 8, 8}, p.out = {paddedWidth(width), 4};
        TestBuffer *out = floats(4 + 6 * p.out.stride);
        std::vector<TestBuffer *> bound = {state(9, 5), activations(x, p.x), out, vector(w)};
        if (spec.bias)
          bound.push_back(vector(b));
        run(spec, p, bound);
        expectRows(out, p.out, referenceNorm(spec, x, width, w, b, p.eps), 2e-5);
        expectUntouched(out, 4 + 5 * p.out.stride, 4 + 6 * p.out.stride);
      }
}

TEST_P(RowKernels, NormOfTheLastRow) {
  NormSpec spec;
  spec.lastRow = true;
  Matrix x = randomMatrix(5, 40);
  auto w = randomVector(40);
  NormParams p;
  p.width = 40, p.maxRows = 6, p.x = {40, 0}, p.out = {40, 0};
  TestBuffer *out = floats(80);
  run(spec, p, {state(0, 3), activations(x, p.x), out, vector(w)});
  Matrix third{1, 40, {x.values.begin() + 80, x.values.begin() + 120}};
  expectRows(out, p.out, referenceNorm(spec, third, 40, w, {}, p.eps), 1e-5);
  expectUntouched(out, 40, 80);
  TestBuffer *nothing = floats(40);
  run(spec, p, {state(0, 0), activations(x, p.x), nothing, vector(w)});
  expectUntouched(nothing, 0, 40);
}

TEST_P(RowKernels, NormPerHeadInPlace) {
  for (uint32_t width : {8u, 12u, 64u, 256u}) {
    NormSpec spec;
    spec.perHead = true;
    Matrix x = randomMatrix(3, width * 5);
    auto w = randomVector(width);
    NormParams p;
    p.width = width, p.groups = 5, p.maxRows = 4, p.x = p.out = {paddedWidth(width * 5) + 8, 4};
    TestBuffer *buffer = activations(x, p.x);
    run(spec, p, {state(0, 3), buffer, buffer, vector(w)});
    expectRows(buffer, p.out, referenceNorm(spec, x, width, w, {}, p.eps), 1e-5);
  }
}

TEST_P(RowKernels, Elementwise) {
  using Op = ElementwiseOp;
  std::vector<ElementwiseSpec> specs = {
      {Op::Copy}, {Op::Add}, {Op::Mul}, {Op::Scale}, {Op::Softcap}, {Op::RowScale}, {Op::Clamp},
      {Op::PositionScale}};
  for (Activation a : allActivations())
    specs.push_back({Op::Activation, a});
  for (const auto &spec : specs)
    for (uint32_t width : {1u, 31u, 33u, 1000u}) {
      const uint32_t position = spec.op == Op::PositionScale ? 1 : 0; // row 0 takes the factor of this row of b
      const uint32_t rows = 3 - position;
      Matrix a = randomMatrix(3, width, WeightType::F32, 12), b = randomMatrix(3, width),
             expected = a;
      ElementwiseParams p;
      p.width = width, p.maxRows = 4, p.value = 7.5f;
      p.a = {paddedWidth(width), 0}, p.b = {paddedWidth(width) + 8, 4},
      p.out = {paddedWidth(width), 8};
      expected.rows = rows, expected.values.resize(size_t(rows) * width);
      if (spec.op == Op::Clamp)
        p.value = 0.4f;
      for (size_t i = 0; i < expected.values.size(); ++i) {
        double l = a.values[i], r = b.values[i], v = l;
        switch (spec.op) {
        case Op::Copy:
        case Op::LastRow:
          break;
        case Op::RowScale:
          v = l * b.values[i / width * width];
          break;
        case Op::PositionScale:
          v = l * b.values[(i / width + position) * width];
          break;
        case Op::Clamp:
          v = std::min(std::max(l, double(-0.4f)), double(0.4f));
          break;
        case Op::Add:
          v = l + r;
          break;
        case Op::Mul:
          v = l * r;
          break;
        case Op::Activation:
          v = referenceActivation(spec.activation, l);
          break;
        case Op::Scale:
          v = l * 7.5;
          break;
        case Op::Softcap:
          v = 7.5 * std::tanh(l / 7.5);
          break;
        }
        expected.values[i] = static_cast<float>(v);
      }
      TestBuffer *out = floats(8 + 4 * p.out.stride);
      std::vector<TestBuffer *> bound = {state(position, rows), activations(a, p.a), out};
      if (spec.bindings().size() == 4)
        bound.push_back(activations(b, p.b));
      run(spec, p, bound);
      expectRows(out, p.out, expected, 1e-6);
    }
}

TEST_P(RowKernels, NormAnywhere) {
  for (NormKind kind : {NormKind::Rms, NormKind::Layer})
    for (auto [width, groups] : {std::pair{1u, 3u}, {6u, 3u}, {10u, 2u}, {75u, 4u}, {6u, 1u}, {301u, 1u}}) {
      SCOPED_TRACE(std::to_string(groups) + " x " + std::to_string(width));
      NormSpec spec{kind};
      spec.bias = kind == NormKind::Layer, spec.perHead = groups > 1, spec.unaligned = true;
      uint32_t all = width * groups;
      Matrix x = randomMatrix(5, all);
      auto w = randomVector(width), b = randomVector(width);
      NormParams p;
      p.width = width, p.groups = groups, p.maxRows = 7;
      p.x = {paddedWidth(all) + 1, 3}, p.out = {paddedWidth(all) + 2, 1}, p.eps = 1e-2f;
      ASSERT_TRUE(p.unaligned());
      TestBuffer *out = floats(p.out.offset + size_t(p.out.stride) * 7);
      if (groups > 1) // only the groups are written
        std::fill_n(out->as<float>() + p.out.offset, size_t(p.out.stride) * 5, 0.0f);
      std::vector<TestBuffer *> bound = {state(0, 5), activations(x, p.x), out, vector(w)};
      if (spec.bias)
        bound.push_back(vector(b));
      run(spec, p, bound);
      expectRows(out, p.out, referenceNorm(spec, x, width, w, b, p.eps), 2e-5);
      expectUntouched(out, p.out.offset + size_t(p.out.stride) * 5, out->bytes / 4);
    }
}

TEST_P(RowKernels, ElementwiseBroadcastsAStrideOfZero) {
  Matrix a = randomMatrix(3, 20), b = randomMatrix(1, 20), expected = a;
  for (size_t i = 0; i < a.values.size(); ++i)
    expected.values[i] += b.values[i % 20];
  ElementwiseParams p;
  p.width = 20, p.maxRows = 3, p.a = p.out = {24, 0}, p.b = {0, 0};
  TestBuffer *buffer = activations(a, p.a);
  run(ElementwiseSpec{ElementwiseOp::Add}, p, {state(0, 3), buffer, buffer, activations(b, p.b)});
  expectRows(buffer, p.out, expected, 0);
}

// Row count - 1 of columns inside a wider buffer: what lies behind them does not reach the pad.
// The columns of row r of `x` as top_k ranks them: NaN last, equal ones by number.
std::vector<uint32_t> ranked(const Matrix &x, uint32_t r, bool magnitude) {
  std::vector<uint32_t> order(x.cols);
  std::iota(order.begin(), order.end(), 0);
  auto key = [&](uint32_t c) {
    const float v = magnitude ? std::abs(x.at(r, c)) : x.at(r, c);
    return std::isnan(v) ? -INFINITY : v;
  };
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) > key(b); });
  return order;
}

TEST_P(RowKernels, TopKOfRowsAnywhere) {
  for (uint32_t width : {1u, 5u, 31u, 33u, 127u, 1000u})
    for (uint32_t top : {1u, 5u, 8u})
      for (bool magnitude : {false, true}) {
        if (top > width)
          continue;
        SCOPED_TRACE("width=" + std::to_string(width) + " top=" + std::to_string(top) + (magnitude ? " magnitude" : ""));
        Matrix x = randomMatrix(5, width);
        for (uint32_t c = 0; c < width; c += 3) // equal ones, of which the lowest column comes first; zeros of both signs
          x.values[width + c] = 2.5f, x.values[2 * width + c] = c % 2 ? -0.0f : 0.0f;
        TopKSpec spec{top, magnitude};
        TopKParams p;
        p.width = width, p.maxRows = 6, p.x = {paddedWidth(width) + 3, 1}; // no multiple of four
        const Rows at = {paddedWidth(2 * top), 0};
        Matrix expected{4, 2 * top, {}};
        for (uint32_t r = 0; r < 4; ++r) {
          const std::vector<uint32_t> order = ranked(x, r, magnitude);
          for (uint32_t i = 0; i < top; ++i)
            expected.values.push_back(x.at(r, order[i]));
          for (uint32_t i = 0; i < top; ++i)
            expected.values.push_back(static_cast<float>(order[i]));
        }
        TestBuffer *out = floats(6 * at.stride);
        run(spec, p, {state(9, 4), activations(x, p.x), out});
        expectRows(out, at, expected, 0);
        expectUntouched(out, 4 * at.stride, 6 * at.stride);
      }
}

TEST_P(RowKernels, TopKPutsNanBehindEveryNumber) {
  Matrix x{1, 6, {NAN, -3, NAN, INFINITY, -INFINITY, 2}};
  TopKSpec spec{6, false};
  TopKParams p;
  p.width = 6, p.maxRows = 1, p.x = {8, 0};
  TestBuffer *out = floats(16);
  run(spec, p, {state(0, 1), activations(x, p.x), out});
  const std::vector<float> found(out->as<float>(), out->as<float>() + 12);
  EXPECT_EQ(std::vector<float>(found.begin(), found.begin() + 4), (std::vector<float>{INFINITY, 2, -3, -INFINITY}));
  EXPECT_TRUE(std::isnan(found[4]) && std::isnan(found[5]));
  EXPECT_EQ(std::vector<float>(found.begin() + 6, found.begin() + 12), (std::vector<float>{3, 5, 1, 4, 0, 2}));
  TestBuffer *nothing = floats(16);
  run(spec, p, {state(0, 0), activations(x, p.x), nothing});
  expectUntouched(nothing, 0, 16);
}

TEST_P(RowKernels, ElementwiseTakesTheLastRow) {
  Matrix a = randomMatrix(5, 24);
  ElementwiseParams p;
  p.width = 13, p.maxRows = 5, p.a = {24, 4}, p.out = {16, 0};
  TestBuffer *out = floats(32);
  run(ElementwiseSpec{ElementwiseOp::LastRow}, p, {state(0, 3), activations(a, {24, 0}), out});
  auto third = a.values.begin() + 2 * 24 + 4;
  expectRows(out, p.out, Matrix{1, 13, {third, third + 13}}, 0);
  expectUntouched(out, 16, 32);
}

TEST_P(RowKernels, ElementwiseCopiesFromAnyOffset) {
  Matrix a = randomMatrix(3, 41), expected{3, 9, {}};
  for (uint32_t r = 0; r < 3; ++r)
    for (uint32_t c = 0; c < 9; ++c)
      expected.values.push_back(a.at(r, c + 7));
  ElementwiseParams p;
  p.width = 9, p.maxRows = 3, p.a = {49, 7}, p.out = {16, 0};
  TestBuffer *out = floats(48);
  run(ElementwiseSpec{ElementwiseOp::Copy}, p, {state(0, 3), activations(a, {49, 0}), out});
  expectRows(out, p.out, expected, 0);
}

XFMR_ON_EVERY_TARGET(RowKernels);

} // namespace
} // namespace xfmr::codegen::test
