// The figures of xfmr-compare by hand, and how a text is cut into windows.
#include "tools/xfmr-compare/Comparison.h"
#include "tools/xfmr-compare/Windows.h"
#include <cmath>
#include <gtest/gtest.h>

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

TEST(Windows, BeginTokenAndWholeRuns) {
  std::vector<std::vector<int32_t>> windows;
  ASSERT_TRUE(cutWindows({1, 2, 3, 4, 5, 6, 7}, 9, 4, windows).ok());
  EXPECT_EQ(windows, (std::vector<std::vector<int32_t>>{{9, 1, 2, 3}, {9, 4, 5, 6}}));
}

TEST(Windows, TooShortATextIsRefused) {
  std::vector<std::vector<int32_t>> windows;
  EXPECT_EQ(cutWindows({1, 2}, 9, 4, windows).message(), "the text has 2 tokens, a window needs 3");
}
