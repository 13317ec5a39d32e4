// A mixture layer on the device by either route, and the same in f64: what the kernel tests of this folder share.
#pragma once
#include "passes/codegen/Choice.h"
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/MoeRouter.h"
#include "test/codegen/KernelTest.h"
#include "reference/ops/Moe.h"

namespace xfmr::codegen::test {

inline MoeRouterSpec routerSpec(const reference::Routing &r, uint32_t experts, uint32_t maxRows) {
  MoeRouterSpec spec;
  spec.experts = experts;
  spec.topK = static_cast<uint32_t>(r.topK);
  spec.score = static_cast<MoeScore>(r.score);
  spec.postTopK = r.postTopK, spec.norm = r.norm, spec.sumTop2 = r.sumTop2;
  spec.groups = static_cast<uint32_t>(r.groups), spec.keptGroups = static_cast<uint32_t>(r.keptGroups);
  spec.rowsPerGroup = routerRows(experts, maxRows);
  return spec;
}

class MoeLayerTest : public KernelTest {
protected:
  // One layer: sizes, numbers, and what it should give.
  struct Layer {
    uint32_t rows = 0, d = 0, experts = 0, f = 0;
    reference::Routing routing;
    WeightType type = WeightType::F32;
    MoeEpilogue first, second;
    bool weightOnInput = false;
    float limit = 7.0f;
    Matrix x, router, w1, w2; // w1 [E * n1, d], w2 [E * d, f]
    std::vector<float> routerBias, selectionBias, bias1, bias2;
    uint32_t n1() const { return first.glu ? 2 * f : f; }
  };

  // What the device has of a routed layer.
  struct Device {
    TestBuffer *state, *x, *ids, *weights, *plan = nullptr;
    Rows xRows;
    TestBuffer *chosen = nullptr; // with drop: of every position
  };

  Layer random(uint32_t rows, uint32_t d, uint32_t experts, uint32_t f, const reference::Routing &routing,
               WeightType type = WeightType::F32) {
    Layer l;
    l.rows = rows, l.d = d, l.experts = experts, l.f = f, l.routing = routing, l.type = type;
    l.first.glu = true, l.first.activation = Activation::Silu;
    l.x = randomMatrix(rows, d);
    l.router = randomMatrix(experts, d, WeightType::F32, 4 / std::sqrt(float(d)));
    fill(l);
    return l;
  }
  void fill(Layer &l) {
    l.w1 = randomMatrix(l.experts * l.n1(), l.d, l.type, 2 / std::sqrt(float(l.d)));
    l.w2 = randomMatrix(l.experts * l.d, l.f, l.type, 2 / std::sqrt(float(l.f)));
    l.bias1 = randomVector(l.experts * l.n1());
    l.bias2 = randomVector(l.experts * l.d);
  }

  static reference::Tensor logits(const Layer &l) {
    reference::Tensor z({l.rows, l.experts});
    for (uint32_t t = 0; t < l.rows; ++t)
      for (uint32_t e = 0; e < l.experts; ++e) {
        double sum = l.routerBias.empty() ? 0 : l.routerBias[e];
        for (uint32_t c = 0; c < l.d; ++c)
          sum += double(l.x.at(t, c)) * l.router.at(e, c);
        z.row(t)[e] = sum;
      }
    return z;
  }
  static reference::Routed reference(const Layer &l) {
    reference::Tensor bias({l.experts});
    std::copy(l.selectionBias.begin(), l.selectionBias.end(), bias.values.begin());
    return reference::route(logits(l), l.routing, l.selectionBias.empty() ? nullptr : &bias);
  }

  // y of the layer in f64 for given ids and weights.
  static Matrix layer(const Layer &l, const reference::Routed &routed) {
    Matrix y{l.rows, l.d, std::vector<float>(size_t(l.rows) * l.d)};
    const uint32_t k = static_cast<uint32_t>(l.routing.topK), n = l.n1();
    for (uint32_t t = 0; t < l.rows; ++t) {
      std::vector<double> total(l.d);
      for (uint32_t slot = 0; slot < k; ++slot) {
        const double id = routed.ids.row(t)[slot], w = routed.weights.row(t)[slot];
        if (id < 0)
          continue;
        const uint32_t e = static_cast<uint32_t>(id);
        std::vector<double> h(n), a(l.f);
        for (uint32_t r = 0; r < n; ++r) {
          double sum = 0;
          for (uint32_t c = 0; c < l.d; ++c)
            sum += double(l.x.at(t, c)) * l.w1.at(e * n + r, c);
          h[r] = sum * (l.weightOnInput ? w : 1) + (l.first.bias ? l.bias1[e * n + r] : 0);
        }
        for (uint32_t j = 0; j < l.f; ++j) {
          if (!l.first.glu) {
            a[j] = referenceActivation(l.first.activation, h[j]);
          } else if (l.first.clamped) {
            const double g = std::min<double>(h[2 * j], l.limit), u = std::clamp<double>(h[2 * j + 1], -l.limit, l.limit);
            a[j] = (u + 1) * g / (1 + std::exp(-1.702 * g));
          } else {
            a[j] = referenceActivation(l.first.activation, h[2 * j]) * h[2 * j + 1];
          }
        }
        for (uint32_t r = 0; r < l.d; ++r) {
          double sum = l.second.bias ? l.bias2[e * l.d + r] : 0;
          for (uint32_t j = 0; j < l.f; ++j)
            sum += a[j] * l.w2.at(e * l.d + r, j);
          total[r] += sum * (l.weightOnInput ? 1 : w);
        }
      }
      for (uint32_t r = 0; r < l.d; ++r)
        y.values[size_t(t) * l.d + r] = static_cast<float>(total[r]);
    }
    return y;
  }

  // f32 [experts, paddedWidth(n)].
  TestBuffer *stackedBias(const std::vector<float> &values, uint32_t experts) {
    const uint32_t n = static_cast<uint32_t>(values.size()) / experts;
    Matrix m{experts, n, values};
    return activations(m, {paddedWidth(n), 0});
  }

  int routerVariant = -1;
  Device route(const Layer &l, uint32_t maxRows = 0) {
    maxRows = maxRows ? maxRows : l.rows;
    MoeRouterSpec spec = routerSpec(l.routing, l.experts, maxRows);
    spec.routerBias = !l.routerBias.empty(), spec.selectionBias = !l.selectionBias.empty();
    spec.spread = onVulkan() && routerSpreads(l.experts, maxRows);
    MoeRouterParams p;
    p.k = l.d, p.maxRows = maxRows;
    p.x = {paddedWidth(l.d) + 8, 4};
    p.normEps = static_cast<float>(l.routing.normEps), p.scale = static_cast<float>(l.routing.scale);
    p.mixerEps = static_cast<float>(l.routing.sparsemixerEps);
    Device device{state(l.routing.drop ? 0 : 5, l.rows), activations(l.x, p.x), bytes(size_t(maxRows) * spec.topK * 4),
                  floats(size_t(maxRows) * spec.topK), nullptr, p.x};
    std::vector<TestBuffer *> bound = {device.state, device.x, weight(l.router, WeightType::F32), device.ids,
                                         device.weights};
    if (spec.routerBias)
      bound.push_back(vector(l.routerBias));
    if (spec.selectionBias)
      bound.push_back(vector(l.selectionBias));
    TestBuffer *done = ids({0});
    if (spec.spread)
      bound.insert(bound.end(), {floats(l.experts), done});
    run(spec, p, bound, routerVariant < int(variants(spec)) ? routerVariant : -1);
    EXPECT_EQ(done->as<uint32_t>()[0], 0u) << "as the next dispatch needs it";
    expectUntouched(device.ids, size_t(l.rows) * spec.topK, size_t(maxRows) * spec.topK);
    return device;
  }

  MoePlanLayout layout(const Layer &l, uint32_t maxRows = 0, uint32_t tileRows = 0) {
    MoePlanLayout plan;
    plan.experts = l.experts, plan.topK = static_cast<uint32_t>(l.routing.topK);
    plan.maxRows = maxRows ? maxRows : l.rows;
    plan.tileRows = tileRows ? tileRows : moeTileRows(plan.maxEntries(), l.experts);
    if (expertsPerPart)
      plan.perPart0 = plan.perPart1 = expertsPerPart;
    return plan;
  }

  void plan(const Layer &l, Device &device, const MoePlanLayout &layout, uint32_t x0 = 1, uint32_t x1 = 1) {
    MoePlanSpec spec;
    spec.drop = l.routing.drop;
    MoePlanParams p;
    p.layout = layout, p.xGroups0 = x0, p.xGroups1 = x1;
    p.capacity = static_cast<uint32_t>(l.routing.capacity);
    p.capacityFactor = static_cast<float>(l.routing.capacityFactor);
    device.plan = bytes(layout.words() * 4);
    std::vector<TestBuffer *> bound = {device.state, device.ids, device.plan};
    if (spec.drop) {
      if (!device.chosen)
        device.chosen = bytes(size_t(layout.maxEntries()) * 4);
      bound.push_back(device.weights);
      bound.push_back(device.chosen);
    }
    run(spec, p, bound);
  }

  reference::Routed read(const Layer &l, const Device &device) {
    reference::Routed routed{reference::Tensor({l.rows, l.routing.topK}), reference::Tensor({l.rows, l.routing.topK})};
    for (size_t i = 0; i < routed.ids.values.size(); ++i) {
      const uint32_t id = device.ids->as<uint32_t>()[i];
      routed.ids.values[i] = id == kDroppedExpert ? -1.0 : double(id);
      routed.weights.values[i] = device.weights->as<float>()[i];
    }
    return routed;
  }

  // Runs a product over stacked weights [experts * rows, cols] in parts of at most `expertsPerPart` (0: whole).
  template <typename Spec, typename Params>
  void product(const Layer &l, Spec spec, Params params, const Matrix &w, std::vector<TestBuffer *> bound,
               TestBuffer *out, int variant) {
    const uint32_t rows = w.rows / l.experts, each = expertsPerPart ? expertsPerPart : l.experts;
    for (uint32_t first = 0; first < l.experts; first += each) {
      const uint32_t count = std::min(each, l.experts - first);
      const auto begin = w.values.begin() + size_t(first) * rows * w.cols;
      if (expertsPerPart)
        params.part = {first / each, first, count};
      bound[2] = weight(Matrix{count * rows, w.cols, {begin, begin + size_t(count) * rows * w.cols}, w.unit, first * rows}, l.type,
                        count);
      if constexpr (std::is_same_v<Spec, MoeGemmSpec>) {
        params.gridAt = spec.product == MoeProduct::First ? params.layout.grid0(params.part.index)
                                                          : params.layout.grid1(params.part.index);
      } else if (first > 0 && spec.product == MoeProduct::Second) {
        if (!spec.terms.residual)
          bound.push_back(out);
        spec.terms.residual = true;
        params.terms.residual = params.out;
      }
      run(spec, params, bound, std::min(variant, int(variants(spec)) - 1));
    }
  }
  uint32_t expertsPerPart = 0;

  // Of a grouped product's grid.
  uint32_t xExtent(const MoeGemmSpec &spec, const MoeGemmParams &params) {
    return onVulkan() ? params.grid(spec)[0] : cpu::xTiles(spec, params);
  }

  // The layer by the grouped route, by a variant of its products (-1 and beyond the last: the portable one); y has stride paddedWidth(d).
  TestBuffer *grouped(const Layer &l, Device &device, const MoePlanLayout &plan, int variant = -1) {
    MoeGemmSpec first, second;
    first.weight = second.weight = l.type;
    first.epilogue = l.first, second.epilogue = l.second;
    first.tileRows = second.tileRows = plan.tileRows;
    second.product = MoeProduct::Second;
    first.weighted = l.weightOnInput, second.weighted = !l.weightOnInput;
    MoeGemmParams p1, p2;
    p1.layout = p2.layout = plan, p1.limit = l.limit;
    p1.n = l.n1(), p1.k = l.d, p1.x = device.xRows, p1.out = {paddedWidth(l.f), 0};
    p2.n = l.d, p2.k = l.f, p2.x = p1.out, p2.out = {paddedWidth(l.d), 8};
    this->plan(l, device, plan, xExtent(first, p1), xExtent(second, p2));
    TestBuffer *h = floats(size_t(plan.maxEntries()) * paddedWidth(l.f));
    TestBuffer *parts = floats(size_t(plan.maxEntries()) * paddedWidth(l.d) + 8);
    std::vector<TestBuffer *> bound = {device.state, device.x, nullptr, device.plan, h};
    if (first.weighted)
      bound.push_back(device.weights);
    if (l.first.bias)
      bound.push_back(stackedBias(l.bias1, l.experts));
    product(l, first, p1, l.w1, bound, h, variant);
    bound = {device.state, h, nullptr, device.plan, parts};
    if (second.weighted)
      bound.push_back(device.weights);
    if (l.second.bias)
      bound.push_back(stackedBias(l.bias2, l.experts));
    product(l, second, p2, l.w2, bound, parts, variant);
    MoeCombineSpec combine;
    combine.drop = l.routing.drop;
    MoeCombineParams p;
    p.width = l.d, p.topK = plan.topK, p.maxRows = plan.maxRows, p.parts = p2.out, p.out = {paddedWidth(l.d), 0};
    TestBuffer *y = floats(size_t(plan.maxRows) * paddedWidth(l.d));
    bound = {device.state, parts, y};
    if (combine.drop)
      bound.push_back(device.ids);
    run(combine, p, bound);
    return y;
  }

  TestBuffer *byId(const Layer &l, const Device &device, int variant = -1) {
    MoeGemvSpec first, second;
    first.weight = second.weight = l.type;
    first.epilogue = l.first, second.epilogue = l.second;
    second.product = MoeProduct::Second;
    first.weighted = l.weightOnInput, second.weighted = !l.weightOnInput;
    MoeGemvParams p1, p2;
    p1.n = l.n1(), p1.k = l.d, p1.x = device.xRows, p1.out = {paddedWidth(l.f), 0}, p1.limit = l.limit;
    p2.n = l.d, p2.k = l.f, p2.x = p1.out, p2.out = {paddedWidth(l.d), 0};
    p1.topK = p2.topK = static_cast<uint32_t>(l.routing.topK), p1.maxRows = p2.maxRows = l.rows;
    TestBuffer *h = floats(size_t(l.rows) * p1.topK * paddedWidth(l.f));
    std::vector<TestBuffer *> bound = {device.state, device.x, nullptr, device.ids, h};
    if (first.weighted)
      bound.push_back(device.weights);
    if (l.first.bias)
      bound.push_back(stackedBias(l.bias1, l.experts));
    product(l, first, p1, l.w1, bound, h, variant);
    TestBuffer *y = floats(size_t(l.rows) * paddedWidth(l.d));
    bound = {device.state, h, nullptr, device.ids, y};
    if (second.weighted)
      bound.push_back(device.weights);
    if (l.second.bias)
      bound.push_back(stackedBias(l.bias2, l.experts));
    product(l, second, p2, l.w2, bound, y, variant);
    return y;
  }

  // Ids as the reference's, but for choices closer than f32 sums can tell; weights within 1e-5 of 1 + scale.
  void expectRouted(const Layer &l, const reference::Routed &found, double tolerance = 2e-6) {
    const reference::Routed expected = reference(l);
    for (size_t i = 0; i < expected.ids.values.size(); ++i) {
      ASSERT_EQ(found.ids.values[i], expected.ids.values[i]) << "entry " << i;
      ASSERT_NEAR(found.weights.values[i], expected.weights.values[i], tolerance * (1 + l.routing.scale)) << "entry " << i;
    }
  }
};

} // namespace xfmr::codegen::test
