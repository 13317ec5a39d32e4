// moe_router and moe_plan: every rule of the reference on the device, the given vectors, ties, NaN, odd sizes,
// and plans checked against their definition.
#include "test/moe/MoeLayerTest.h"
#include "test/moe/Vectors.h"

namespace xfmr::codegen::test {
namespace {

using reference::Routing;

class RouterKernel : public MoeLayerTest {
protected:
  // A layer whose logits are exactly `z` [T, E]: x = z, router = identity.
  Layer identity(const reference::Tensor &z, const Routing &routing) {
    Layer l;
    l.rows = static_cast<uint32_t>(z.rows()), l.experts = l.d = static_cast<uint32_t>(z.columns());
    l.routing = routing;
    l.x = Matrix{l.rows, l.d, {z.values.begin(), z.values.end()}};
    l.router = Matrix{l.experts, l.d, std::vector<float>(size_t(l.experts) * l.d)};
    for (uint32_t e = 0; e < l.experts; ++e)
      l.router.values[size_t(e) * l.d + e] = 1;
    return l;
  }

  // The plan's contents against counting and sorting.
  void expectPlan(const Layer &l, const reference::Routed &routed, TestBuffer *plan, const MoePlanLayout &at) {
    const uint32_t *words = plan->as<uint32_t>();
    const uint32_t k = at.topK;
    std::vector<std::vector<uint32_t>> entries(l.experts);
    for (uint32_t i = 0; i < l.rows * k; ++i)
      if (routed.ids.values[i] >= 0)
        entries[uint32_t(routed.ids.values[i])].push_back(i);
    uint32_t place = 0, tiles = 0;
    for (uint32_t e = 0; e < l.experts; ++e) {
      if (!l.routing.drop) {
        ASSERT_EQ(words[MoePlanLayout::kCounts + e], entries[e].size()) << "expert " << e;
      }
      for (uint32_t i = 0; i < entries[e].size(); i += at.tileRows, ++tiles) {
        const uint32_t *tile = words + at.tiles() + tiles * 4;
        ASSERT_EQ(tile[0], e);
        ASSERT_EQ(tile[1], place + i);
        ASSERT_EQ(tile[2], std::min<uint32_t>(at.tileRows, uint32_t(entries[e].size()) - i));
      }
      for (uint32_t entry : entries[e])
        ASSERT_EQ(words[at.sorted() + place++], entry) << "expert " << e;
    }
    ASSERT_EQ(words[MoePlanLayout::kEntries], place);
    ASSERT_EQ(words[MoePlanLayout::kTiles], tiles);
    ASSERT_LE(tiles, at.maxTiles());
    for (bool first : {true, false}) { // each part has the tiles of its experts
      const uint32_t perPart = first ? at.perPart0 : at.perPart1;
      uint32_t from = 0;
      for (uint32_t part = 0; part < (first ? at.parts0() : at.parts1()); ++part) {
        const uint32_t *grid = words + (first ? at.grid0(part) : at.grid1(part));
        uint32_t own = 0;
        for (uint32_t tile = 0; tile < tiles; ++tile)
          own += words[at.tiles() + tile * 4] / perPart == part;
        ASSERT_EQ(grid[0], first ? 3u : 5u);
        ASSERT_EQ(grid[1], own) << "part " << part;
        ASSERT_EQ(grid[2], 1u);
        ASSERT_EQ(grid[3], from) << "part " << part;
        from += own;
      }
      ASSERT_EQ(from, tiles);
    }
  }

  // By the portable variant, and by the first.
  void check(const Layer &l, uint32_t maxRows = 0, double tolerance = 2e-6) {
    for (int variant : {0, -1}) {
      routerVariant = variant;
      if (onVulkan() || variant < 0)
        checkOne(l, maxRows, tolerance);
      if (HasFatalFailure())
        return;
    }
  }
  void checkOne(const Layer &l, uint32_t maxRows, double tolerance) {
    Device device = route(l, maxRows);
    const MoePlanLayout at = layout(l, maxRows);
    plan(l, device, at, 3, 5);
    const reference::Routed found = read(l, device);
    expectRouted(l, found, tolerance);
    if (!HasFatalFailure())
      expectPlan(l, found, device.plan, at);
  }

  // With more than 16 experts spread over workgroups.
  void normBeforeAndStatistics(uint32_t e) {
    Routing rule;
    rule.topK = 2, rule.norm = true;
    const uint32_t d = e > kRouterExperts ? 2100 : 52;
    Layer l = random(1, d, e, 8, rule);
    std::vector<float> norm = randomVector(d);
    MoeRouterSpec spec = routerSpec(rule, e, 1);
    spec.rmsNorm = spec.stats = true;
    spec.spread = onVulkan() && routerSpreads(e, 1);
    MoeRouterParams p;
    p.k = d, p.maxRows = 1, p.x = {0, 8}, p.normed = {paddedWidth(d), 4}, p.eps = 1e-5f;
    TestBuffer *id = ids({0, 0}), *weights = floats(2), *normed = floats(4 + paddedWidth(d)), *stats = ids(std::vector<uint32_t>(2 * e));
    std::vector<TestBuffer *> bound = {state(3, 1), activations(l.x, p.x), weight(l.router, WeightType::F32), id, weights,
                                         vector(norm), normed, stats};
    if (spec.spread)
      bound.insert(bound.end(), {floats(e), ids({0})});
    run(spec, p, bound, 0);
    run(spec, p, bound);
    // Either variant counted.
    for (uint32_t slot = 0; slot < 2 * e; ++slot)
      EXPECT_TRUE(stats->as<uint32_t>()[slot] % 2 == 0 || slot >= e);
    std::memset(stats->as<void>(), 0, stats->bytes);
    run(spec, p, bound);
    double squares = 0;
    for (uint32_t c = 0; c < d; ++c)
      squares += double(l.x.at(0, c)) * l.x.at(0, c) / d;
    for (uint32_t c = 0; c < d; ++c)
      l.x.values[c] = static_cast<float>(l.x.at(0, c) / std::sqrt(squares + 1e-5) * norm[c]);
    expectRows(normed, p.normed, l.x, 1e-6);
    Device device{bound[0], bound[1], id, weights, nullptr, p.x};
    expectRouted(l, read(l, device));
    run(spec, p, bound);
    for (uint32_t slot = 0; slot < 2; ++slot) {
      const uint32_t expert = id->as<uint32_t>()[slot];
      EXPECT_EQ(stats->as<uint32_t>()[expert], 2u);
      EXPECT_FLOAT_EQ(stats->as<float>()[e + expert], 2 * weights->as<float>()[slot]);
    }
    bound[0] = state(3, 0); // nothing to do: nothing counted
    run(spec, p, bound);
    EXPECT_EQ(stats->as<uint32_t>()[id->as<uint32_t>()[0]], 2u);
  }

  // Random logits that are multiples of 1/256: sums are exact, so that ids must agree; ties are frequent.
  reference::Tensor coarse(uint32_t rows, uint32_t experts) {
    reference::Tensor z({rows, experts});
    for (double &value : z.values)
      value = std::round(uniform(-4, 4) * 16) / 16;
    return z;
  }
};

TEST_P(RouterKernel, RoutingVectors) {
  XFMR_NEED_VECTORS();
  for (const VectorCase &v : readRoutingVectors()) {
    SCOPED_TRACE(v.name);
    Layer l = identity(v.logits, v.routing);
    l.routerBias.assign(v.routerBias.begin(), v.routerBias.end());
    l.selectionBias.assign(v.selectionBias.begin(), v.selectionBias.end());
    Device device = route(l);
    plan(l, device, layout(l));
    const reference::Routed found = read(l, device);
    for (size_t i = 0; i < v.ids.values.size(); ++i) {
      ASSERT_EQ(found.ids.values[i], v.ids.values[i]) << "entry " << i;
      ASSERT_NEAR(found.weights.values[i], v.weights.values[i], 1e-6 * (1 + v.routing.scale)) << "entry " << i;
    }
  }
}

std::vector<Routing> everyRule(int64_t k, int64_t experts) {
  std::vector<Routing> rules;
  for (ScoreFunction score : {ScoreFunction::softmax, ScoreFunction::sigmoid, ScoreFunction::sqrt_softplus, ScoreFunction::none})
    for (bool post : {false, true})
      for (bool norm : {false, true}) {
        if (score == ScoreFunction::none && norm)
          continue; // sums of raw logits cancel
        Routing r;
        r.topK = k, r.score = score, r.postTopK = post, r.norm = norm;
        r.normEps = norm ? 1e-20 : 0, r.scale = norm ? 2.5 : 1;
        rules.push_back(r);
      }
  if (experts % 4 == 0 && k <= experts / 2) {
    Routing r;
    r.topK = k, r.groups = 4, r.keptGroups = 2, r.scale = 16;
    rules.push_back(r);
    r.score = ScoreFunction::sigmoid, r.sumTop2 = experts >= 8;
    rules.push_back(r);
  }
  if (k == 2) {
    Routing r;
    r.topK = 2, r.score = ScoreFunction::sparsemixer, r.sparsemixerEps = 0.01;
    rules.push_back(r);
  }
  return rules;
}

TEST_P(RouterKernel, EveryRuleOverOddSizes) {
  struct Size { uint32_t rows, experts, k; bool all; };
  // Each rule is a kernel of its own, so only one size takes them all, with biases or without so that both meet every choice of a
  // rule; the other sizes take one in nine.
  for (Size s : {Size{33, 8, 2, true}, {1, 2, 1, false}, {7, 60, 4, false}, {31, 5, 5, false}, {17, 128, 8, false}, {3, 512, 16, false}}) {
    size_t number = 0;
    for (const Routing &rule : everyRule(s.k, s.experts))
      for (bool bias : {false, true}) {
        ++number;
        const bool takes = rule.norm != rule.postTopK || rule.sumTop2;
        if ((bias && rule.score == ScoreFunction::sparsemixer) || (s.all ? bias != takes : number % 9))
          continue;
        Layer l = identity(coarse(s.rows, s.experts), rule);
        if (bias) {
          l.selectionBias = randomVector(s.experts);
          for (float &b : l.selectionBias)
            b = std::round(b * 8) / 8;
          l.routerBias = l.selectionBias;
        }
        MoeRouterSpec spec = routerSpec(rule, s.experts, s.rows);
        SCOPED_TRACE(spec.name() + " rows " + std::to_string(s.rows) + (bias ? " biased" : ""));
        check(l, s.rows + 2, 4e-6);
        if (HasFatalFailure())
          return;
      }
  }
}

// One row: experts are spread over workgroups, of which the last has one, all or some, and whoever is done last chooses.
TEST_P(RouterKernel, EveryRuleOfOneRow) {
  if (!onVulkan())
    GTEST_SKIP() << "the CPU does not spread experts";
  for (uint32_t experts : {17u, 64u, 128u}) {
    size_t number = 0, kept = 0;
    // Each rule is a kernel of its own: of 64 experts two choices of a rule meet in every way, not all three; the others, which
    // spread otherwise but score alike, take every seventh.
    for (const Routing &rule : everyRule(experts == 64 ? 2 : 8, experts)) {
      const bool ofThree = rule.score != ScoreFunction::none && rule.score != ScoreFunction::sparsemixer && rule.groups < 2;
      if (experts != 64 ? number++ % 7 : ofThree && (rule.norm != rule.postTopK) != (rule.score == ScoreFunction::sigmoid))
        continue;
      const bool bias = (kept + kept / 4) % 2 == 0 && rule.score != ScoreFunction::sparsemixer; // with every choice and without
      ++kept;
      Layer l = identity(coarse(1, experts), rule);
      if (bias) {
        l.selectionBias = randomVector(experts);
        for (float &b : l.selectionBias)
          b = std::round(b * 8) / 8;
        l.routerBias = l.selectionBias;
      }
      for (int variant : {0, 1, -1}) {
        routerVariant = variant;
        Device device = route(l);
        expectRouted(l, read(l, device), 4e-6);
        ASSERT_FALSE(HasFailure()) << routerSpec(rule, experts, 1).name() << (bias ? " biased" : "") << ", variant " << variant;
      }
      releaseBuffers();
    }
  }
}

TEST_P(RouterKernel, TiesGoToTheLowestExpert) {
  reference::Tensor z({2, 12});
  for (uint32_t e = 0; e < 12; ++e)
    z.row(0)[e] = 1, z.row(1)[e] = e % 3 == 1 ? 0.0 : -0.0; // -0 equals 0
  Routing rule;
  rule.topK = 3;
  Layer l = identity(z, rule);
  Device device = route(l);
  for (uint32_t t = 0; t < 2; ++t)
    for (uint32_t slot = 0; slot < 3; ++slot)
      EXPECT_EQ(device.ids->as<uint32_t>()[t * 3 + slot], slot);
}

TEST_P(RouterKernel, NanAndInfiniteLogits) {
  const double inf = INFINITY;
  // Router biases make the logits; x is zero, so that products with NaN do not spread.
  for (std::vector<double> z : {std::vector<double>{NAN, 1, -inf, 2}, {NAN, NAN, NAN, NAN}, {NAN, -inf, NAN, -inf},
                                {inf, 3, inf, NAN}, {-inf, -inf, -inf, -inf}})
    for (ScoreFunction score : {ScoreFunction::softmax, ScoreFunction::sigmoid, ScoreFunction::sqrt_softplus})
      for (bool norm : {false, true}) {
        Routing rule;
        rule.topK = 3, rule.score = score, rule.norm = norm;
        Layer l = identity(reference::Tensor({1, 4}), rule);
        l.routerBias.assign(z.begin(), z.end());
        Device device = route(l);
        const reference::Routed found = read(l, device), expected = reference(l);
        for (size_t i = 0; i < 3; ++i) {
          EXPECT_EQ(found.ids.values[i], expected.ids.values[i]) << "score " << int(score) << " slot " << i;
          EXPECT_TRUE(std::isfinite(found.weights.values[i])) << "logits " << z[0] << ", " << z[1] << " score " << int(score);
          if (std::abs(expected.weights.values[i]) < 1e6) {
            EXPECT_NEAR(found.weights.values[i], expected.weights.values[i], 1e-6);
          }
        }
      }
}

TEST_P(RouterKernel, PlansOfManyRows) {
  for (auto [rows, experts, k] : {std::tuple(4096u, 8u, 2u), {1000u, 512u, 16u}, {129u, 128u, 8u}, {4096u, 2u, 1u}}) {
    Routing rule;
    rule.topK = k;
    SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(experts) + " experts");
    check(identity(coarse(rows, experts), rule), rows);
    expertsPerPart = experts / 2 + 1; // one part after the other for weights larger than a binding
  }
}

TEST_P(RouterKernel, OneExpertTakesAllAndCapacities) {
  reference::Tensor z({100, 8});
  for (uint32_t t = 0; t < 100; ++t)
    z.row(t)[5] = 3, z.row(t)[1] = 2;
  Routing rule;
  rule.topK = 2;
  check(identity(z, rule));
  rule.drop = true;
  for (int64_t capacity : {1, 63, 64, 65, 99, 100, 101}) {
    rule.capacity = capacity;
    SCOPED_TRACE("capacity " + std::to_string(capacity));
    check(identity(z, rule));
  }
  rule.capacity = 0, rule.capacityFactor = 1.25;
  check(identity(z, rule)); // ceil(1.25 * 200 / 8) = 32
}

// Parts of a sequence drop what one run over the whole would: ranks go on, and a share is one of all tokens.
TEST_P(RouterKernel, CapacitiesCountOverParts) {
  const uint32_t rows = 61, experts = 8;
  const reference::Tensor z = coarse(rows, experts);
  Routing rule;
  rule.topK = 2, rule.drop = true;
  for (bool factor : {false, true}) {
    rule.capacity = factor ? 0 : 11, rule.capacityFactor = factor ? 0.8 : 0; // ceil(0.8 * 122 / 8) = 13
    const reference::Routed whole = reference::route(z, rule, nullptr);
    ASSERT_NE(std::count(whole.ids.values.begin(), whole.ids.values.end(), -1.0), 0);
    TestBuffer *chosen = bytes(size_t(rows) * 2 * 4);
    for (uint32_t from = 0, size = 1; from < rows; from += size, size = std::min(size * 3, rows - from)) {
      Layer part = identity(reference::Tensor({size, experts}, {z.row(from), z.row(from) + size * experts}), rule);
      Device device = route(part);
      device.state = state(from, size, rows);
      device.chosen = chosen;
      const MoePlanLayout at = layout(part);
      plan(part, device, at, 3, 5);
      const reference::Routed found = read(part, device);
      for (size_t i = 0; i < size * 2; ++i)
        ASSERT_EQ(found.ids.values[i], whole.ids.values[from * 2 + i]) << "entry " << i << " of " << size << " from " << from;
      expectPlan(part, found, device.plan, at);
    }
  }
}

TEST_P(RouterKernel, NormBeforeAndStatistics) {
  for (uint32_t experts : {8u, 40u})
    normBeforeAndStatistics(experts);
}

XFMR_ON_EVERY_TARGET(RouterKernel);

} // namespace
} // namespace xfmr::codegen::test
