// The figures of xfmr-compare by hand, and how a text is cut into windows.
#include "tools/xfmr-compare/Comparison.h"
#include "tools/xfmr-compare/TeacherFit.h"
#include "tools/xfmr-compare/Windows.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace xfmr;
using namespace xfmr::compare;

TEST(Comparison, EqualModelsAreZeroApart) {
  const double a[] = {1, 2, 3};
  const double shifted[] = {101, 102, 103}; // the same distribution
  Comparison result;
  result.add(a, a, 3, 0);
  result.add(a, shifted, 3, 2);
  EXPECT_EQ(result.tokens, 2);
  EXPECT_NEAR(result.klMean(), 0, 1e-12);
  EXPECT_EQ(result.maxAbsLogitDiff, 100);
  EXPECT_EQ(result.top1Agreement(), 1);
  EXPECT_NEAR(result.nllMeanA(), result.nllMeanB(), 1e-12);
}

TEST(Comparison, ByHand) {
  // A: 1/2 1/4 1/4; B: 1/4 1/2 1/4.
  const double a[] = {std::log(2.0), 0, 0}, b[] = {0, std::log(2.0), 0};
  Comparison result;
  result.add(a, b, 3, 0);
  EXPECT_NEAR(result.klMean(), 0.5 * std::log(2.0) - 0.25 * std::log(2.0), 1e-15);
  EXPECT_NEAR(result.nllMeanA(), std::log(2.0), 1e-15);
  EXPECT_NEAR(result.nllMeanB(), std::log(4.0), 1e-15);
  EXPECT_EQ(result.maxAbsLogitDiff, std::log(2.0));
  EXPECT_EQ(result.top1Agreement(), 0);
}

TEST(Comparison, DirectionMatters) {
  const double a[] = {0, 0}, b[] = {0, std::log(3.0)}; // 1/2 1/2 and 1/4 3/4
  Comparison ab, ba;
  ab.add(a, b, 2, 0);
  ba.add(b, a, 2, 0);
  EXPECT_NEAR(ab.klMean(), 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 1e-15);
  EXPECT_NEAR(ba.klMean(), 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-15);
}

TEST(Comparison, LargeLogitsDoNotOverflow) {
  const double a[] = {1e4, 0}, b[] = {1e4, -1e4};
  Comparison result;
  result.add(a, b, 2, 0);
  EXPECT_EQ(result.klMean(), 0);
  EXPECT_EQ(result.nllMeanA(), 0);
}

// A teacher that tells the K likeliest tokens of each of its positions, and a model beside it.
struct Teaching {
  std::mt19937 random{5};
  TeacherRun run;
  TeacherShard shard;
  std::vector<float> p, q; // logits
  Teaching(int64_t vocab, int64_t topK) {
    run.vocab = vocab;
    run.topK = topK;
    std::normal_distribution<float> normal(0, 2);
    for (int64_t i = 0; i < vocab; ++i) {
      p.push_back(normal(random));
      q.push_back(normal(random));
    }
    shard.add(run, p.data(), 0);
  }
  TeacherFit fit() {
    TeacherFit out;
    const std::vector<double> wide(q.begin(), q.end());
    out.add(run, shard, 0, wide.data(), 0);
    return out;
  }
  double divergence(const std::vector<float> &from) {
    Comparison out;
    const std::vector<double> a(from.begin(), from.end()), b(q.begin(), q.end());
    out.add(a.data(), b.data(), run.vocab, 0);
    return out.kl;
  }
};

TEST(Teacher, BoundsHoldTheDivergence) {
  for (int64_t topK : {1, 3, 10, 63}) {
    Teaching all(64, topK);
    const TeacherFit fit = all.fit();
    // Told log-probabilities are f32: right to 2^-24 of up to 10 nats.
    EXPECT_LE(fit.klLeast, all.divergence(all.p) + 1e-6) << topK;
    EXPECT_GE(fit.klMost, all.divergence(all.p) - 1e-6) << topK;
    EXPECT_GT(fit.left, 0);
    EXPECT_NEAR(fit.nllB,
                -std::log(std::exp(all.q[0]) / std::accumulate(all.q.begin(), all.q.end(), 0.0,
                                                               [](double sum, float x) { return sum + std::exp(x); })),
                1e-5);
  }
}

TEST(Teacher, AllTokensToldAreTheDivergence) {
  Teaching all(64, 64);
  EXPECT_NEAR(all.fit().klLeast, all.divergence(all.p), 1e-6);
  EXPECT_EQ(all.fit().klLeast, all.fit().klMost);
  EXPECT_EQ(all.fit().left, 0);
}

// Teachers that tell the same and attain the bounds: what they leave out in the model's own proportions, or heaped on what the model
// finds least probable.
TEST(Teacher, BoundsAreAttained) {
  Teaching some(16, 3);
  std::vector<size_t> others;
  for (size_t i = 0; i < 16; ++i)
    if (std::find(some.shard.tokens.begin(), some.shard.tokens.end(), int32_t(i)) == some.shard.tokens.end())
      others.push_back(i);
  std::vector<float> spread(16), heaped(16, -200.0f);
  for (size_t i = 0; i < 3; ++i)
    spread[some.shard.tokens[i]] = heaped[some.shard.tokens[i]] = some.shard.logProbabilities[i];
  const double left = some.shard.left[0], cap = std::exp(some.shard.logProbabilities[2]);
  double mass = 0;
  for (size_t i : others)
    mass += std::exp(some.q[i]);
  for (size_t i : others)
    spread[i] = some.q[i] + std::log(left / mass);
  std::sort(others.begin(), others.end(), [&](size_t a, size_t b) { return some.q[a] < some.q[b]; });
  double rest = left;
  for (size_t i : others) {
    heaped[i] = rest > 0 ? std::log(std::min(rest, cap)) : -200.0f;
    rest -= cap;
  }
  EXPECT_NEAR(some.fit().klLeast, some.divergence(spread), 1e-5);
  EXPECT_NEAR(some.fit().klMost, some.divergence(heaped), 1e-5);
  EXPECT_GT(some.fit().klMost, some.fit().klLeast + 0.01);
}

TEST(Teacher, TiesGoToTheLowestId) {
  TeacherRun run;
  run.vocab = 5;
  run.topK = 3;
  TeacherShard shard;
  const float logits[] = {1, 2, 1, 2, 1};
  shard.add(run, logits, 4);
  EXPECT_EQ(shard.tokens, (std::vector<int32_t>{1, 3, 0}));
  EXPECT_NEAR(shard.left[0], 2 * std::exp(1.0) / (2 * std::exp(2.0) + 3 * std::exp(1.0)), 1e-15);
  EXPECT_EQ(shard.next[0], shard.logProbabilities[2]);
}

TEST(Windows, BeginTokenAndWholeRuns) {
  std::vector<std::vector<int32_t>> windows;
  ASSERT_TRUE(cutWindows({1, 2, 3, 4, 5, 6, 7}, 9, 4, windows).ok());
  EXPECT_EQ(windows, (std::vector<std::vector<int32_t>>{{9, 1, 2, 3}, {9, 4, 5, 6}}));
}

TEST(Windows, TooShortATextIsRefused) {
  std::vector<std::vector<int32_t>> windows;
  EXPECT_EQ(cutWindows({1, 2}, 9, 4, windows).message(), "the text has 2 tokens, a window needs 3");
}
