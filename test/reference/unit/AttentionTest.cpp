// Attention by hand on one or two heads, and the properties it must have.
#include "reference/ops/Attention.h"
#include "dialect/DistanceBuckets.h"
#include "test/reference/unit/TinyModel.h"
#include <array>
#include <cmath>

using namespace xfmr;
using namespace xfmr::reference;

static AttentionShape causal(int64_t heads, int64_t kvHeads, int64_t headDim, double scale = 1) {
  return {heads, kvHeads, headDim, /*causal=*/true, scale, std::nullopt, std::nullopt};
}

TEST(Attention, TwoTokensByHand) {
  const Tensor q({2, 2}, {1, 0, 1, 1}), k({2, 2}, {1, 0, 0, 2}), v({2, 2}, {10, 20, 30, 40});
  const Tensor y = attention(q, k, v, nullptr, causal(1, 1, 2, 0.5));
  EXPECT_DOUBLE_EQ(y.row(0)[0], 10); // the first token sees itself only
  EXPECT_DOUBLE_EQ(y.row(0)[1], 20);
  const double a = std::exp(0.5), b = std::exp(1.0); // scores 1 * 0.5 and 2 * 0.5
  EXPECT_DOUBLE_EQ(y.row(1)[0], (10 * a + 30 * b) / (a + b));
  EXPECT_DOUBLE_EQ(y.row(1)[1], (20 * a + 40 * b) / (a + b));
}

TEST(Attention, WithoutCausalTheFirstTokenSeesTheSecond) {
  const Tensor q({2, 1}, {0, 0}), k({2, 1}, {1, 5}), v({2, 1}, {10, 30});
  AttentionShape shape = causal(1, 1, 1);
  shape.causal = false;
  const Tensor y = attention(q, k, v, nullptr, shape);
  EXPECT_DOUBLE_EQ(y.values[0], 20);
  EXPECT_DOUBLE_EQ(y.values[1], 20);
}

TEST(Attention, QueryHeadsShareKeyValueHeadsInGroups) {
  // Four query heads, two key/value heads of size 1: heads 0 and 1 read v[0], 2 and 3 read v[1].
  const Tensor q({1, 4}, {1, 2, 3, 4}), k({1, 2}, {1, 1}), v({1, 2}, {10, 20});
  const Tensor y = attention(q, k, v, nullptr, causal(4, 2, 1));
  EXPECT_EQ(y.values, (std::vector<double>{10, 10, 20, 20}));
}

TEST(Attention, WindowCountsTheTokenItself) {
  const Tensor q({4, 1}, {0, 0, 0, 0}), k = q, v({4, 1}, {1, 2, 4, 8});
  AttentionShape shape = causal(1, 1, 1);
  shape.window = 2;
  const Tensor y = attention(q, k, v, nullptr, shape);
  EXPECT_EQ(y.values, (std::vector<double>{1, 1.5, 3, 6}));
}

TEST(Attention, WindowReachesToBothSidesWithoutCausal) {
  const Tensor q({4, 1}, {0, 0, 0, 0}), k = q, v({4, 1}, {1, 2, 4, 8});
  AttentionShape shape = causal(1, 1, 1);
  shape.causal = false;
  shape.window = 2;
  const Tensor y = attention(q, k, v, nullptr, shape);
  EXPECT_DOUBLE_EQ(y.values[0], 1.5);
  EXPECT_DOUBLE_EQ(y.values[1], 7.0 / 3);
  EXPECT_DOUBLE_EQ(y.values[2], 14.0 / 3);
  EXPECT_DOUBLE_EQ(y.values[3], 6);
}

TEST(Attention, ChunksHideWhatLiesInOthers) {
  const Tensor q({4, 1}, {0, 0, 0, 0}), k = q, v({4, 1}, {1, 2, 4, 8});
  AttentionShape shape = causal(1, 1, 1);
  shape.chunk = 2;
  EXPECT_EQ(attention(q, k, v, nullptr, shape).values, (std::vector<double>{1, 1.5, 4, 6}));
}

TEST(Attention, SlopesAreThoseOfThePaper) {
  EXPECT_DOUBLE_EQ(alibiSlope(0, 8, 8), 0.5);
  EXPECT_DOUBLE_EQ(alibiSlope(7, 8, 8), 1.0 / 256);
  EXPECT_DOUBLE_EQ(alibiSlope(7, 12, 8), 1.0 / 256);
  EXPECT_DOUBLE_EQ(alibiSlope(8, 12, 8), std::sqrt(0.5));
  const Tensor q({2, 1}, {0, 0}), k = q, v({2, 1}, {0, 1});
  AttentionShape shape = causal(1, 1, 1);
  shape.alibi = 8;
  EXPECT_DOUBLE_EQ(attention(q, k, v, nullptr, shape).values[1], 1 / (1 + std::exp(-1.0 / 256)));
}

TEST(Attention, BucketsAreThoseOfT5) {
  // Of T5Attention._relative_position_bucket: 32 buckets, up to a distance of 128.
  for (auto [distance, both, causal] : {std::array<int64_t, 3>{0, 0, 0},
                                        {-1, 1, 1},
                                        {-7, 7, 7},
                                        {-8, 8, 8},
                                        {-15, 9, 15},
                                        {-16, 10, 16},
                                        {-31, 11, 21},
                                        {-32, 12, 21},
                                        {-64, 14, 26},
                                        {-127, 15, 31},
                                        {-128, 15, 31},
                                        {-5000, 15, 31},
                                        {1, 17, 0},
                                        {7, 23, 0},
                                        {8, 24, 0},
                                        {16, 26, 0},
                                        {200, 31, 0}}) {
    EXPECT_EQ(bucketOf(distance, 32, 128, false), both) << distance;
    EXPECT_EQ(bucketOf(distance, 32, 128, true), causal) << distance;
  }
}

TEST(Attention, BucketsOfTheCompilerAreTheSame) {
  for (auto [buckets, most] : {std::pair<int64_t, int64_t>{32, 128}, {8, 20}, {64, 256}, {4, 3}})
    for (bool causal : {false, true})
      for (int64_t distance = -600; distance <= 600; ++distance)
        ASSERT_EQ(distanceBucket(distance, buckets, most, causal), bucketOf(distance, buckets, most, causal))
            << distance << " of " << buckets << " up to " << most;
}

TEST(Attention, BiasJoinsTheScoreOfItsDistance) {
  const Tensor q({2, 1}, {0, 0}), k = q, v({2, 1}, {0, 1}), bias({4, 1}, {0.5, -0.25, 1, 3});
  AttentionShape shape = causal(1, 1, 1);
  shape.bias = &bias, shape.maxDistance = 8;
  EXPECT_DOUBLE_EQ(attention(q, k, v, nullptr, shape).values[1], std::exp(0.5) / (std::exp(0.5) + std::exp(-0.25)));
  shape.causal = false; // buckets 2 and 3 are for later keys: row 0 sees itself in bucket 0 and a key in 3
  EXPECT_DOUBLE_EQ(attention(q, k, v, nullptr, shape).values[0], std::exp(3) / (std::exp(0.5) + std::exp(3)));
}

TEST(Attention, CrossSeesAllOfTheOtherText) {
  const Tensor q({1, 1}, {0}), k({3, 1}, {1, 2, 3}), v({3, 1}, {3, 6, 9});
  AttentionShape shape = causal(1, 1, 1);
  shape.causal = false, shape.cross = true;
  EXPECT_DOUBLE_EQ(attention(q, k, v, nullptr, shape).values[0], 6);
}

TEST(Attention, SinkTakesItsShareAndGivesNothing) {
  const Tensor q({1, 1}, {0}), k({1, 1}, {0}), v({1, 1}, {10}), sink({1}, {std::log(3.0)});
  EXPECT_NEAR(attention(q, k, v, &sink, causal(1, 1, 1)).values[0], 10.0 / 4, 1e-14);
}

TEST(Attention, SoftcapBoundsScores) {
  const Tensor q({2, 1}, {100, 100}), k({2, 1}, {0, 1}), v({2, 1}, {0, 1});
  AttentionShape shape = causal(1, 1, 1);
  shape.softcap = 2;
  const double b = std::exp(2 * std::tanh(50.0));
  EXPECT_DOUBLE_EQ(attention(q, k, v, nullptr, shape).values[1], b / (1 + b));
}

TEST(Attention, LargeScoresDoNotOverflow) {
  const Tensor q({1, 1}, {1e4}), k({1, 1}, {1e4}), v({1, 1}, {3});
  EXPECT_DOUBLE_EQ(attention(q, k, v, nullptr, causal(1, 1, 1)).values[0], 3);
}

// Attention mixes positions and is linear in v for fixed q and k.
TEST(Attention, IsLinearInValues) {
  const Tensor q = noise({5, 8}, 1), k = noise({5, 4}, 2), v1 = noise({5, 4}, 3), v2 = noise({5, 4}, 4);
  Tensor mixed = v1;
  for (size_t i = 0; i < mixed.values.size(); ++i)
    mixed.values[i] = 0.7 * v1.values[i] - 1.3 * v2.values[i];
  const AttentionShape shape = causal(4, 2, 2, 0.5);
  Tensor expected = attention(q, k, v1, nullptr, shape);
  const Tensor second = attention(q, k, v2, nullptr, shape);
  for (size_t i = 0; i < expected.values.size(); ++i)
    expected.values[i] = 0.7 * expected.values[i] - 1.3 * second.values[i];
  EXPECT_LE(largestDifference(attention(q, k, mixed, nullptr, shape), expected), 1e-14);
}

TEST(Attention, MixesPositionsButNeverLooksAhead) {
  const Tensor q = noise({5, 8}, 1), k = noise({5, 4}, 2), v = noise({5, 4}, 3);
  Tensor changed = v;
  changed.row(2)[0] += 1;
  const AttentionShape shape = causal(4, 2, 2, 0.5);
  const Tensor before = attention(q, k, v, nullptr, shape);
  const Tensor after = attention(q, k, changed, nullptr, shape);
  for (int t = 0; t < 5; ++t)
    EXPECT_EQ(before.row(t)[0] != after.row(t)[0], t >= 2) << t;
}

TEST(Attention, LastRowsAloneWithEarlierKeysKept) {
  const Tensor q = noise({6, 8}, 1), k = noise({6, 4}, 2), v = noise({6, 4}, 3);
  AttentionShape shape = causal(4, 2, 2, 0.5);
  shape.window = 3;
  const Tensor whole = attention(q, k, v, nullptr, shape);
  const Tensor tail({2, 8}, std::vector<double>(q.row(4), q.row(4) + 16));
  const Tensor part = attention(tail, k, v, nullptr, shape);
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(part.values[i], whole.row(4)[i]) << i;
}
