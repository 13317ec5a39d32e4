// The reference of xfmr.moe: given vectors, golden numbers of every family's rule, and properties that hold
// whatever the numbers.
#include "test/moe/Vectors.h"
#include <cmath>
#include <numeric>
#include <random>

namespace xfmr::reference {
namespace {

Tensor row(std::vector<double> values) {
  const int64_t count = static_cast<int64_t>(values.size());
  return Tensor({1, count}, std::move(values));
}

Tensor noise(int64_t rows, int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 2);
  Tensor t({rows, columns});
  for (double &value : t.values)
    value = normal(random);
  return t;
}

// Every rule that this file can say something about; E is at least 8.
std::vector<Routing> rules(int64_t k) {
  std::vector<Routing> all;
  for (ScoreFunction score : {ScoreFunction::softmax, ScoreFunction::sigmoid, ScoreFunction::sqrt_softplus})
    for (bool post : {false, true})
      for (bool norm : {false, true})
        for (int64_t groups : {1, 4}) {
          Routing r;
          r.topK = k, r.score = score, r.postTopK = post, r.norm = norm;
          r.groups = groups, r.keptGroups = (groups + 1) / 2;
          r.sumTop2 = groups > 1 && score == ScoreFunction::sigmoid;
          all.push_back(r);
        }
  return all;
}

TEST(Routing, GivenVectors) {
  XFMR_NEED_VECTORS();
  const std::vector<VectorCase> cases = readRoutingVectors();
  ASSERT_EQ(cases.size(), 37u);
  for (const VectorCase &c : cases) {
    Tensor logits = c.logits, bias({logits.columns()});
    for (int64_t t = 0; t < logits.rows() && !c.routerBias.empty(); ++t)
      for (int64_t e = 0; e < logits.columns(); ++e)
        logits.row(t)[e] += c.routerBias[e];
    std::copy(c.selectionBias.begin(), c.selectionBias.end(), bias.values.begin());
    const Routed found = route(logits, c.routing, c.selectionBias.empty() ? nullptr : &bias);
    for (size_t i = 0; i < c.ids.values.size(); ++i) {
      ASSERT_EQ(found.ids.values[i], c.ids.values[i]) << c.name << " entry " << i;
      ASSERT_NEAR(found.weights.values[i], c.weights.values[i], 1e-9) << c.name << " entry " << i;
    }
  }
}

// z with a tie between experts 1 and 3; numbers from the rules' definition, worked out elsewhere.
TEST(Routing, GoldenNumbersOfTheFamilies) {
  const Tensor z = row({1, 2, 0.5, 2, -1, 0, 1.5, 0.25});
  auto expect = [&](const Routing &rule, std::vector<double> ids, std::vector<double> weights, const Tensor &z,
                    const Tensor *bias = nullptr) {
    const Routed found = route(z, rule, bias);
    EXPECT_EQ(found.ids.values, ids);
    for (size_t i = 0; i < weights.size(); ++i)
      EXPECT_NEAR(found.weights.values[i], weights[i], 1e-7);
  };
  Routing mixtral;
  mixtral.topK = 2, mixtral.norm = true;
  expect(mixtral, {1, 3}, {0.5, 0.5}, z);
  Routing olmoe;
  olmoe.topK = 3;
  expect(olmoe, {1, 3, 6}, {0.2811803, 0.2811803, 0.1705445}, z);
  Routing gptOss = olmoe;
  gptOss.postTopK = true;
  expect(gptOss, {1, 3, 6}, {0.3836517, 0.3836517, 0.2326965}, z);
  Routing llama4;
  llama4.score = ScoreFunction::sigmoid, llama4.postTopK = true;
  expect(llama4, {1}, {0.8807971}, z);
  Routing v3;
  v3.topK = 2, v3.score = ScoreFunction::sigmoid, v3.norm = true, v3.normEps = 1e-20, v3.scale = 2.5;
  v3.groups = 4, v3.keptGroups = 2, v3.sumTop2 = true;
  const Tensor bias({8}, {0, -.5, 0, 0, .3, 0, .1, .05});
  expect(v3, {6, 3}, {1.2034682, 1.2965318}, z, &bias);
  Routing v2;
  v2.topK = 3, v2.groups = 4, v2.keptGroups = 2, v2.scale = 16;
  expect(v2, {1, 3, 0}, {4.4988853, 4.4988853, 1.6550474}, z);
  Routing phi;
  phi.topK = 2, phi.score = ScoreFunction::sparsemixer, phi.sparsemixerEps = 0.01;
  expect(phi, {1, 3}, {0.5, 1.0}, z);
  Tensor near = z;
  near.values[3] = 1.97, near.values[6] = 1.95;
  expect(phi, {1, 3}, {0.5074994, 0.5049998}, near);
}

TEST(Routing, SoftmaxRenormalisedIsSoftmaxOfTheChosen) {
  const Tensor z = noise(200, 16, 1);
  Routing pre, post;
  pre.topK = post.topK = 5, pre.norm = true, post.postTopK = true;
  const Routed a = route(z, pre, nullptr), b = route(z, post, nullptr);
  EXPECT_EQ(a.ids.values, b.ids.values);
  for (size_t i = 0; i < a.weights.values.size(); ++i)
    EXPECT_NEAR(a.weights.values[i], b.weights.values[i], 1e-14);
}

TEST(Routing, WeightsSumToOneWhenNormalised) {
  const Tensor z = noise(100, 16, 2);
  for (const Routing &rule : rules(4)) {
    const bool one = rule.norm || (rule.score == ScoreFunction::softmax && rule.postTopK);
    const Routed routed = route(z, rule, nullptr);
    for (int64_t t = 0; t < z.rows(); ++t) {
      const double *w = routed.weights.row(t), *ids = routed.ids.row(t);
      if (one) {
        EXPECT_NEAR(std::accumulate(w, w + 4, 0.0), 1, 1e-12);
      }
      std::vector<double> sorted(ids, ids + 4);
      std::sort(sorted.begin(), sorted.end());
      EXPECT_TRUE(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()) << "an expert chosen twice";
    }
  }
}

TEST(Routing, PermutingTokensPermutesChoices) {
  const Tensor z = noise(50, 16, 3);
  Tensor reversed = z;
  for (int64_t t = 0; t < 50; ++t)
    std::copy_n(z.row(t), 16, reversed.row(49 - t));
  for (const Routing &rule : rules(3)) {
    const Routed a = route(z, rule, nullptr), b = route(reversed, rule, nullptr);
    for (int64_t t = 0; t < 50; ++t)
      for (int64_t slot = 0; slot < 3; ++slot) {
        EXPECT_EQ(a.ids.row(t)[slot], b.ids.row(49 - t)[slot]);
        EXPECT_EQ(a.weights.row(t)[slot], b.weights.row(49 - t)[slot]);
      }
  }
}

// Reversing the experts, whole groups with them, renames the choices and keeps the weights (no ties here).
TEST(Routing, PermutingExpertsRenamesChoices) {
  const Tensor z = noise(50, 16, 4);
  Tensor reversed = z;
  for (int64_t t = 0; t < 50; ++t)
    std::reverse(reversed.row(t), reversed.row(t) + 16);
  for (const Routing &rule : rules(3)) {
    const Routed a = route(z, rule, nullptr), b = route(reversed, rule, nullptr);
    for (size_t i = 0; i < a.ids.values.size(); ++i) {
      EXPECT_EQ(a.ids.values[i], 15 - b.ids.values[i]);
      EXPECT_NEAR(a.weights.values[i], b.weights.values[i], 1e-14);
    }
  }
}

TEST(Routing, DroppingFollowsItsDefinition) {
  const Tensor z = noise(60, 8, 5);
  for (int64_t capacity : {1, 7, 15, 120}) {
    Routing free, drop;
    free.topK = drop.topK = 2;
    drop.drop = true, drop.capacity = capacity;
    const Routed all = route(z, free, nullptr), kept = route(z, drop, nullptr);
    std::vector<int64_t> used(8);
    for (size_t i = 0; i < all.ids.values.size(); ++i) {
      const bool fits = used[static_cast<size_t>(all.ids.values[i])]++ < capacity;
      EXPECT_EQ(kept.ids.values[i], fits ? all.ids.values[i] : -1);
      EXPECT_EQ(kept.weights.values[i], fits ? all.weights.values[i] : 0);
    }
    // In two runs with the counts carried over, the same.
    std::vector<int64_t> taken;
    const Tensor first({25, 8}, {z.values.begin(), z.values.begin() + 200}),
        second({35, 8}, {z.values.begin() + 200, z.values.end()});
    Routed a = route(first, drop, nullptr, &taken), b = route(second, drop, nullptr, &taken);
    a.ids.values.insert(a.ids.values.end(), b.ids.values.begin(), b.ids.values.end());
    EXPECT_EQ(a.ids.values, kept.ids.values);
  }
  Routing factor, fixed;
  factor.drop = fixed.drop = true;
  factor.capacityFactor = 1.25, fixed.capacity = 10; // ceil(1.25 * 60 / 8)
  EXPECT_EQ(route(z, factor, nullptr).ids.values, route(z, fixed, nullptr).ids.values);
  factor.capacityFactor = 1.6, fixed.capacity = 12; // 1.6 * 60 / 8 is 12, whatever it rounds to
  EXPECT_EQ(route(z, factor, nullptr).ids.values, route(z, fixed, nullptr).ids.values);
  // Later runs take a share of all tokens so far.
  std::vector<int64_t> taken(8, 5), copy = taken; // 40 earlier tokens
  factor.capacityFactor = 1, fixed.capacity = 13; // ceil(100 / 8)
  EXPECT_EQ(route(z, factor, nullptr, &taken).ids.values, route(z, fixed, nullptr, &copy).ids.values);
}

TEST(Routing, NanSortsLastAndWeightsStayFinite) {
  for (const Routing &rule : rules(3)) {
    const Routed routed = route(row({NAN, 1, -INFINITY, 2, NAN, 0.5, NAN, NAN}), rule, nullptr);
    EXPECT_FALSE(std::isnan(routed.weights.values[0]));
    if (rule.groups == 1) {
      EXPECT_EQ(routed.ids.values, (std::vector<double>{3, 1, 5}));
    }
    const Routed none = route(row(std::vector<double>(8, NAN)), rule, nullptr);
    for (double w : none.weights.values)
      EXPECT_TRUE(std::isfinite(w));
    if (rule.groups == 1) {
      EXPECT_EQ(none.ids.values, (std::vector<double>{0, 1, 2}));
    }
  }
}

} // namespace
} // namespace xfmr::reference
