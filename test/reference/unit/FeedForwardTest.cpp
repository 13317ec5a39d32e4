// linear, glu, norms: values by hand, and the properties of feed-forward layers that passes rely on.
#include "reference/ops/Activation.h"
#include "reference/ops/Glu.h"
#include "reference/ops/Linear.h"
#include "reference/ops/Norm.h"
#include "reference/ops/WeightAlgebra.h"
#include "test/reference/unit/TinyModel.h"
#include <cmath>

using namespace xfmr;
using namespace xfmr::reference;

// down(silu(up(x))) with biases, d = 64, ff = 256.
struct FeedForward {
  Tensor up = noise({256, 64}, 1), upBias = noise({256}, 2);
  Tensor down = noise({64, 256}, 3), downBias = noise({64}, 4);
  bool activated = true;

  Tensor operator()(const Tensor &x) const {
    Tensor h = linear(x, up, &upBias);
    if (activated)
      for (double &value : h.values)
        value = activation(ActivationKind::silu, value);
    return linear(h, down, &downBias);
  }
};

TEST(Linear, ByHand) {
  const Tensor x({2, 3}, {1, 2, 3, 4, 5, 6}), w({2, 3}, {1, 0, -1, 2, 2, 2}), b({2}, {10, 20});
  EXPECT_EQ(linear(x, w, &b).values, (std::vector<double>{8, 32, 8, 50}));
  EXPECT_EQ(linear(x, w, nullptr).values, (std::vector<double>{-2, 12, -2, 30}));
}

TEST(Linear, OddSizesEqualThePlainSum) {
  for (int64_t tokens : {1, 7, 8, 9, 31})
    for (int64_t width : {1, 33, 127}) {
      const Tensor x = noise({tokens, width}, 5), w = noise({19, width}, 6);
      const Tensor y = linear(x, w, nullptr);
      for (int64_t t = 0; t < tokens; ++t)
        for (int64_t o = 0; o < 19; ++o) {
          double sum = 0;
          for (int64_t i = 0; i < width; ++i)
            sum += w.row(o)[i] * x.row(t)[i];
          EXPECT_NEAR(y.row(t)[o], sum, 1e-13);
        }
    }
}

TEST(Linear, LargeOnesOnAllCoresToo) {
  const Tensor x = noise({3, 1000}, 7), w = noise({2000, 1000}, 8);
  const Tensor y = linear(x, w, nullptr);
  for (int64_t o : {0, 999, 1000, 1999}) {
    const Tensor one({1, 1000}, std::vector<double>(w.row(o), w.row(o) + 1000));
    EXPECT_EQ(linear(x, one, nullptr).row(2)[0], y.row(2)[o]) << o;
  }
}

// The output at a position depends on the input at that position alone.
TEST(FeedForward, PositionsAreIndependent) {
  const FeedForward ffn;
  const Tensor x = noise({5, 64}, 9);
  const Tensor alone({1, 64}, std::vector<double>(x.row(2), x.row(2) + 64));
  const Tensor all = ffn(x), one = ffn(alone);
  for (int i = 0; i < 64; ++i)
    EXPECT_NEAR(one.values[i], all.row(2)[i], 1e-6);
}

// Without the activation two linears are one over the product; with it they are not.
TEST(FeedForward, CollapsesOnlyWithoutItsActivation) {
  FeedForward ffn;
  const Tensor x = noise({5, 64}, 9);
  const Tensor folded = product(ffn.down, ffn.up);
  Tensor bias = linear(Tensor({1, 256}, ffn.upBias.values), ffn.down, &ffn.downBias);
  const Tensor y = linear(x, folded, &bias);
  ffn.activated = false;
  EXPECT_LE(largestDifference(ffn(x), y), 1e-11);
  ffn.activated = true;
  EXPECT_GE(largestDifference(ffn(x), y), 1.0);
}

// A key-value memory: channel j adds h_j times column j of down, and nothing else adds anything.
TEST(FeedForward, IsTheSumOfWhatItsChannelsContribute) {
  const FeedForward ffn;
  const Tensor x = noise({3, 64}, 9), h = linear(x, ffn.up, &ffn.upBias);
  Tensor sum({3, 64});
  for (int64_t t = 0; t < 3; ++t)
    for (int64_t i = 0; i < 64; ++i) {
      sum.row(t)[i] = ffn.downBias.values[i];
      for (int64_t j = 0; j < 256; ++j)
        sum.row(t)[i] += activation(ActivationKind::silu, h.row(t)[j]) * ffn.down.row(i)[j];
    }
  EXPECT_LE(largestDifference(ffn(x), sum), 1e-11);
}

TEST(FeedForward, IsNotLinear) {
  const FeedForward ffn;
  const Tensor a = noise({3, 64}, 10), b = noise({3, 64}, 11);
  Tensor mixed = a, expected = ffn(a);
  const Tensor second = ffn(b);
  for (size_t i = 0; i < mixed.values.size(); ++i) {
    mixed.values[i] = 0.7 * a.values[i] - 1.3 * b.values[i];
    expected.values[i] = 0.7 * expected.values[i] - 1.3 * second.values[i];
  }
  EXPECT_GE(largestDifference(ffn(mixed), expected), 1.0);
}

// One matrix product of width 2 ff followed by the gate equals two, in both layouts.
TEST(Glu, EqualsGateAndUpApart) {
  const Tensor x = noise({5, 12}, 12), gate = noise({7, 12}, 13), up = noise({7, 12}, 14);
  const Tensor gateBias = noise({7}, 15), upBias = noise({7}, 16);
  Tensor concat({14, 12}), interleaved({14, 12}), concatBias({14}), interleavedBias({14});
  for (int j = 0; j < 7; ++j) {
    std::copy_n(gate.row(j), 12, concat.row(j));
    std::copy_n(up.row(j), 12, concat.row(7 + j));
    std::copy_n(gate.row(j), 12, interleaved.row(2 * j));
    std::copy_n(up.row(j), 12, interleaved.row(2 * j + 1));
    concatBias.values[j] = interleavedBias.values[2 * j] = gateBias.values[j];
    concatBias.values[7 + j] = interleavedBias.values[2 * j + 1] = upBias.values[j];
  }
  for (auto kind : {ActivationKind::silu, ActivationKind::gelu, ActivationKind::gelu_tanh,
                    ActivationKind::relu}) {
    Tensor expected = linear(x, gate, &gateBias);
    const Tensor u = linear(x, up, &upBias);
    for (size_t i = 0; i < expected.values.size(); ++i)
      expected.values[i] = activation(kind, expected.values[i]) * u.values[i];
    EXPECT_EQ(largestDifference(glu(x, concat, &concatBias, kind, GluLayout::concat), expected), 0);
    EXPECT_EQ(largestDifference(
                  glu(x, interleaved, &interleavedBias, kind, GluLayout::interleaved), expected),
              0);
  }
}

TEST(Glu, ClampedByHand) {
  // x = 1: gate and up are the weights themselves.
  const Tensor x({1, 1}, {1}), w({6, 1}, {3, 9, -9, /*up*/ 2, 8, -8});
  const Tensor y = glu(x, w, nullptr, ActivationKind::silu, GluLayout::concat, GluClamp{1.702, 7});
  auto swish = [](double g) { return g / (1 + std::exp(-1.702 * g)); };
  EXPECT_DOUBLE_EQ(y.values[0], (2 + 1) * swish(3));
  EXPECT_DOUBLE_EQ(y.values[1], (7 + 1) * swish(7));
  EXPECT_DOUBLE_EQ(y.values[2], (-7 + 1) * swish(-9)); // the gate has no lower limit
}

TEST(Norm, RmsByHand) {
  const Tensor x({1, 2}, {3, 4}), w({2}, {1, 10});
  const double factor = 1 / std::sqrt(12.5 + 0.5);
  Tensor y = rmsNorm(x, w, 0.5, false);
  EXPECT_DOUBLE_EQ(y.values[0], 3 * factor);
  EXPECT_DOUBLE_EQ(y.values[1], 40 * factor);
  y = rmsNorm(x, w, 0.5, true);
  EXPECT_DOUBLE_EQ(y.values[0], 6 * factor);
  EXPECT_DOUBLE_EQ(y.values[1], 44 * factor);
}

TEST(Norm, RmsOfEachHead) {
  const Tensor x({1, 4}, {3, 4, 0, 2}), w({2}, {1, 1});
  const Tensor y = rmsNorm(x, w, 0, false);
  EXPECT_DOUBLE_EQ(y.values[0], 3 / std::sqrt(12.5));
  EXPECT_DOUBLE_EQ(y.values[3], 2 / std::sqrt(2.0));
}

TEST(Norm, LayerByHand) {
  const Tensor x({1, 4}, {1, 2, 3, 6}), w({4}, {1, 1, 1, 2}), b({4}, {0, 0, 5, 0});
  const double factor = 1 / std::sqrt(3.5 + 0.25); // mean 3, squares 4 + 1 + 0 + 9
  const Tensor y = layerNorm(x, w, &b, 0.25);
  EXPECT_DOUBLE_EQ(y.values[0], -2 * factor);
  EXPECT_DOUBLE_EQ(y.values[2], 5);
  EXPECT_DOUBLE_EQ(y.values[3], 6 * factor);
}
