// The expert products by both routes against a layer in f64: given layers, every epilogue, weight type and
// tile, experts without a token, all tokens on one, dropped tokens, shared experts.
#include "test/moe/MoeLayerTest.h"
#include "test/moe/Vectors.h"

namespace xfmr::codegen::test {
namespace {

using reference::Routing;

class ExpertKernels : public MoeLayerTest {
protected:
  static Routing rule(int64_t k, bool norm = true) {
    Routing r;
    r.topK = k, r.norm = norm;
    return r;
  }

  // Both routes. f32 sums of n products of numbers of size 1 err by about sqrt(n) * 2^-24 each; two products
  // and an activation of slope up to 1.1 follow one another: 1e-5 of 1 + |y| holds up to 2048 columns.
  void check(const Layer &l, double tolerance = 1e-5, uint32_t tileRows = 0) {
    Device device = route(l);
    TestBuffer *few = l.routing.drop ? nullptr : byId(l, device);
    TestBuffer *many = grouped(l, device, layout(l, 0, tileRows));
    std::vector<TestBuffer *> tuned;
    for (int variant = 0; onVulkan() && variant < kTuned; ++variant) {
      if (!l.routing.drop)
        tuned.push_back(grouped(l, device, layout(l, 0, tileRows), variant));
      if (few)
        tuned.push_back(byId(l, device, variant));
    }
    expectRouted(l, read(l, device), 1e-5); // the plan marks what it drops
    if (HasFatalFailure())
      return;
    const Matrix expected = layer(l, reference(l));
    expectRows(many, {paddedWidth(l.d), 0}, expected, tolerance);
    if (few)
      expectRows(few, {paddedWidth(l.d), 0}, expected, tolerance);
    // Matrix units round rows of x to f16: a product is off by at most 2^-11 of the sum of |w x|, here 24 or 40 terms of
    // 1/2 * 1/2 / sqrt(terms) on average, so by 8e-4; the activation and the other half of a glu double that, and 24
    // such rows meet weights of 1/2 / sqrt(24): below 4e-3, and 6e-4 of its own rounding.
    const bool halves = onVulkan() && l.type == WeightType::F16 &&
                        VulkanKernels::get().device.supports({"cooperative_matrix_f16_8x8x8"});
    for (TestBuffer *y : tuned)
      expectRows(y, {paddedWidth(l.d), 0}, expected, halves ? 5e-3 : tolerance);
  }
  static constexpr int kTuned = 2; // variants a product may have here beside the portable one
};

TEST_P(ExpertKernels, SizesAndTiles) {
  struct Size { uint32_t rows, d, experts, f, k; };
  for (Size s : {Size{1, 32, 8, 24, 2}, {2, 33, 2, 7, 1}, {31, 64, 8, 40, 2}, {70, 36, 5, 17, 3}, {9, 128, 16, 31, 16}, {130, 48, 3, 96, 1}})
    for (uint32_t tileRows : {8u, 16u, 32u, 64u}) {
      SCOPED_TRACE(std::to_string(s.rows) + " rows, " + std::to_string(s.experts) + " experts, d " +
                   std::to_string(s.d) + ", f " + std::to_string(s.f) + ", tile " + std::to_string(tileRows));
      check(random(s.rows, s.d, s.experts, s.f, rule(s.k)), 1e-5, tileRows);
    }
}

TEST_P(ExpertKernels, WeightTypes) {
  for (WeightType type : {WeightType::F16, WeightType::BF16, WeightType::Q8, WeightType::Q4, WeightType::Q8Wide,
                          WeightType::Q4Wide, WeightType::Q6Fine, WeightType::Q4FineWide})
    for (uint32_t tileRows : {8u, 32u, 64u}) {
      SCOPED_TRACE(toString(type) + std::string(", tile ") + std::to_string(tileRows));
      check(random(37, 40, 8, 24, rule(2), type), 1e-5, tileRows);
    }
  check(random(160, 40, 100, 24, rule(2), WeightType::F16), 1e-5, 8); // enough tiles for matrix units to take wide ones
  Layer l = random(19, 36, 6, 21, rule(2, false), WeightType::Q4); // rows that are no multiple of a panel's, and biases
  l.first = {};
  l.first.bias = l.second.bias = l.weightOnInput = true;
  fill(l);
  check(l);
}

TEST_P(ExpertKernels, EpiloguesAndWeightOnInput) {
  for (bool glu : {false, true})
    for (bool bias : {false, true}) { // every pair of choices; each is four kernels of several variants
      Layer l = random(19, 36, 6, 21, rule(2, false));
      l.first = {};
      l.first.glu = glu, l.first.activation = glu ? Activation::GeluTanh : Activation::Relu;
      l.first.bias = l.second.bias = bias, l.weightOnInput = glu != bias;
      fill(l);
      SCOPED_TRACE(l.first.suffix() + (l.weightOnInput ? " weight on input" : ""));
      check(l);
    }
  Layer l = random(19, 36, 6, 21, rule(2));
  l.first.clamped = l.first.bias = l.second.bias = true, l.limit = 0.5f;
  check(l);
}

// A stacked weight larger than one binding: one dispatch a part of the experts.
TEST_P(ExpertKernels, WeightsInParts) {
  for (uint32_t each : {1u, 3u, 7u}) {
    expertsPerPart = each;
    SCOPED_TRACE(std::to_string(each) + " experts a part");
    Layer l = random(35, 36, 8, 24, rule(3));
    l.first.bias = l.second.bias = true;
    check(l);
    check(random(35, 36, 8, 24, rule(3), WeightType::Q8));
  }
}

TEST_P(ExpertKernels, EmptyExpertsAndOneExpertForAll) {
  Layer l = random(75, 24, 8, 16, rule(1));
  l.routerBias.assign(8, 0);
  l.routerBias[6] = 100;
  check(l);
  l.routing.drop = true, l.routing.capacity = 10; // the last 65 rows are zero
  check(l);
}

TEST_P(ExpertKernels, SameBitsEveryTime) {
  Layer l = random(65, 48, 8, 40, rule(2));
  Device device = route(l);
  TestBuffer *first = grouped(l, device, layout(l)), *second = grouped(l, device, layout(l));
  EXPECT_EQ(std::memcmp(first->as<void>(), second->as<void>(), first->bytes), 0);
}

// Hidden 2048, 128 experts, eight a token. The layer in f64 takes long, so of many rows only some are compared: a
// row's result does not depend on the others.
TEST_P(ExpertKernels, LargeLayers) {
  Layer l = random(0, 2048, 128, 32, rule(8));
  for (uint32_t rows : {1u, 100u, 1024u}) {
    SCOPED_TRACE(std::to_string(rows) + " rows");
    l.rows = rows, l.x = randomMatrix(rows, l.d);
    Device device = route(l);
    // Sums of 2048 products err by about sqrt(2048) * 2^-24 * |terms|: choices and weights agree to 1e-5, but for
    // choices closer than that.
    const reference::Routed found = read(l, device), expected = reference(l);
    for (size_t i = 0; i < expected.ids.values.size(); ++i)
      ASSERT_EQ(found.ids.values[i], expected.ids.values[i]) << "entry " << i;
    TestBuffer *many = grouped(l, device, layout(l), 0);
    TestBuffer *few = rows <= 100 ? byId(l, device) : many;
    const Matrix x = l.x;
    l.rows = 1; // of the same weights
    for (uint32_t row = 0; row < rows; row += std::max(1u, rows / 16)) {
      l.x = Matrix{1, l.d, {x.values.begin() + size_t(row) * l.d, x.values.begin() + size_t(row + 1) * l.d}};
      const Matrix y = layer(l, reference(l));
      const Rows at = {0, row * paddedWidth(l.d)};
      expectRows(many, at, y, 1e-5);
      expectRows(few, at, y, 1e-5);
    }
  }
}

TEST_P(ExpertKernels, GivenLayers) {
  XFMR_NEED_VECTORS();
  LayerVectors vectors;
  auto make = [&](const std::string &name, uint32_t rows, uint32_t d, uint32_t experts, uint32_t f, const Routing &r) {
    Layer l;
    l.rows = rows, l.d = d, l.experts = experts, l.f = f, l.routing = r;
    l.x = Matrix{rows, d, vectors.numbers(name, "x")};
    l.router = Matrix{experts, d, vectors.numbers(name, "router_weight")};
    return l;
  };
  auto transposed = [](const std::vector<float> &values, uint32_t count, uint32_t rows, uint32_t cols) {
    std::vector<float> result(values.size()); // [count, rows, cols] -> [count, cols, rows]
    for (uint32_t e = 0; e < count; ++e)
      for (uint32_t r = 0; r < rows; ++r)
        for (uint32_t c = 0; c < cols; ++c)
          result[(size_t(e) * cols + c) * rows + r] = values[(size_t(e) * rows + r) * cols + c];
    return result;
  };
  auto compare = [&](const Layer &l, const std::string &name) {
    const Matrix expected{l.rows, l.d, vectors.numbers(name, "y")};
    Device device = route(l);
    if (!l.routing.drop)
      expectRows(byId(l, device), {paddedWidth(l.d), 0}, expected, 2e-6);
    expectRows(grouped(l, device, layout(l)), {paddedWidth(l.d), 0}, expected, 2e-6);
  };
  { // gpt-oss: interleaved columns, biases, both clamps
    const std::string name = "gpt_oss_layer";
    Routing r = rule(2, false);
    r.postTopK = true;
    Layer l = make(name, 8, 4, 3, 5, r);
    l.routerBias = vectors.numbers(name, "router_bias");
    l.first.glu = l.first.clamped = l.first.bias = l.second.bias = true;
    l.w1 = Matrix{l.experts * 2 * l.f, l.d, transposed(vectors.numbers(name, "gate_up_proj"), l.experts, l.d, 2 * l.f)};
    l.w2 = Matrix{l.experts * l.d, l.f, transposed(vectors.numbers(name, "down_proj"), l.experts, l.f, l.d)};
    l.bias1 = vectors.numbers(name, "gate_up_proj_bias"), l.bias2 = vectors.numbers(name, "down_proj_bias");
    compare(l, name);
  }
  { // switch: relu experts, tokens dropped
    const std::string name = "switch_layer";
    Routing r = rule(1, false);
    r.drop = true, r.capacity = 3;
    Layer l = make(name, 12, 4, 4, 6, r);
    l.first.activation = Activation::Relu;
    l.w1 = Matrix{l.experts * l.f, l.d, vectors.numbers(name, "wi")};
    l.w2 = Matrix{l.experts * l.d, l.f, vectors.numbers(name, "wo")};
    compare(l, name);
  }
}

XFMR_ON_EVERY_TARGET(ExpertKernels);

} // namespace
} // namespace xfmr::codegen::test
