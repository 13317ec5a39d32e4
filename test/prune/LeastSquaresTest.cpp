// Fits, costs and choices of units on small random problems, against slow definitions of the same.
#include "passes/analysis/Allocation.h"
#include "passes/calibration/LeastSquares.h"
#include "passes/calibration/criteria/Criterion.h"
#include "test/prune/RandomMatrix.h"

#include <gtest/gtest.h>
#include <random>

using namespace xfmr;
using llvm::SmallVector;

namespace {

struct Problem {
  MatrixF x = randomMatrix(200, 8, 1), w = randomMatrix(5, 8, 2), t;
  MatrixD prior;
  NormalEquations sums{8, 5};
  Problem() {
    x.col(3) += 0.9f * x.col(1); // correlated columns: what one loses another can take over
    t = x * w.transpose();
    prior = w.cast<double>();
    sums.add(x, t);
  }
};

// sum |W x_K - t|^2 by its definition.
double errorOf(const Problem &p, const SmallVector<int64_t> &kept, const MatrixD &weight) {
  MatrixD picked(p.x.rows(), kept.size());
  for (size_t i = 0; i < kept.size(); ++i)
    picked.col(i) = p.x.col(kept[i]).cast<double>();
  return (picked * weight.transpose() - p.t.cast<double>()).squaredNorm();
}

TEST(LeastSquares, FitIsTheMinimum) {
  Problem p;
  const SmallVector<int64_t> kept{0, 1, 4, 6};
  const MatrixD fit = fitColumns(p.sums, kept, 1e-9, nullptr);
  const double least = errorOf(p, kept, fit);
  EXPECT_NEAR(fitError(p.sums, kept, fit), least, 1e-6 * least);
  for (int64_t row = 0; row < 5; ++row)
    for (double step : {-0.01, 0.01}) {
      MatrixD other = fit;
      other(row, 2) += step;
      EXPECT_GT(errorOf(p, kept, other), least);
    }
}

TEST(LeastSquares, AllColumnsTowardsThePriorGiveThePrior) {
  Problem p;
  const MatrixD fit = fitColumns(p.sums, {0, 1, 2, 3, 4, 5, 6, 7}, 10.0, &p.prior);
  EXPECT_LT((fit - p.prior).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(LeastSquares, RidgeTowardsThePriorEqualsOptimalBrainSurgery) {
  Problem p;
  const double ridge = 3.0;
  MatrixD inverse = (p.sums.gram + ridge * MatrixD::Identity(8, 8)).inverse();
  const MatrixD surgery = p.prior - p.prior.col(2) * inverse.row(2) / inverse(2, 2);
  const SmallVector<int64_t> kept{0, 1, 3, 4, 5, 6, 7};
  const MatrixD fit = fitColumns(p.sums, kept, ridge, &p.prior);
  for (size_t i = 0; i < kept.size(); ++i)
    EXPECT_LT((fit.col(i) - surgery.col(kept[i])).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(LeastSquares, OneColumnAtATimeRemovesTheLeastHarmful) {
  Problem p;
  const SmallVector<int64_t> kept = keepColumns(p.sums, 7, 1, 1, 1e-9, nullptr).front();
  double least = 1e300;
  SmallVector<int64_t> best;
  for (int64_t gone = 0; gone < 8; ++gone) {
    SmallVector<int64_t> rest;
    for (int64_t i = 0; i < 8; ++i)
      if (i != gone)
        rest.push_back(i);
    if (double error = errorOf(p, rest, fitColumns(p.sums, rest, 1e-9, nullptr)); error < least) {
      least = error;
      best = rest;
    }
  }
  EXPECT_EQ(kept, best);
}

TEST(LeastSquares, SetsLoseEquallyMany) {
  Problem p;
  const SmallVector<int64_t> kept = keepColumns(p.sums, 2, 1, 2, 1e-3, nullptr).front();
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_LT(kept[1], 4);
  EXPECT_GE(kept[2], 4);
}

TEST(LeastSquares, UnitsStayWithinTheirGroups) {
  Problem p;
  const SmallVector<int64_t> kept = keepUnits(p.sums, /*width=*/2, /*groups=*/2, /*keeps=*/1, 1e-3, nullptr).front();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_LT(kept[0], 2);
  EXPECT_GE(kept[1], 2);
}

TEST(LeastSquares, LargestScoresTiesToTheLower) {
  EXPECT_EQ(keepLargest({1.0, 3.0, 2.0, 3.0, 2.0}, 3), (SmallVector<int64_t>{1, 2, 3}));
}

TEST(UnitStatistics, ScoresByHand) {
  MatrixF x(4, 2); // two windows of two tokens
  x << 1, 0, 3, 0, 2, 4, 2, -4;
  UnitStatistics statistics;
  statistics.add(x, 2, 0, 0, /*withGram=*/true);
  MatrixF w(2, 2);
  w << 3, 1, -4, 0;
  auto expect = [&](UnitMethod method, double a, double b) {
    const auto scores = channelScores(method, statistics, w);
    EXPECT_NEAR(scores[0], a, 1e-12);
    EXPECT_NEAR(scores[1], b, 1e-12);
  };
  expect(UnitMethod::magnitude, 5, 1);
  expect(UnitMethod::activation, std::sqrt(8.0), 4);                       // means 2, 2 and 0, 4
  expect(UnitMethod::wandaSp, 3.5 * std::sqrt(18.0), 0.5 * std::sqrt(32.0)); // means of |w| times norms
  expect(UnitMethod::flap, 2.0 / 3 * 25, 32.0 / 3 * 1);                    // variances with n - 1
  EXPECT_EQ(statistics.gram(0, 1), 0);
  EXPECT_EQ(statistics.gram(1, 1), 32);
}

// What a removed channel gave on average is the constant that lowers the squared error most.
TEST(UnitStatistics, MeanOfTheRemovedLowersTheError) {
  MatrixF x = randomMatrix(300, 6, 5);
  x.array() += 0.7f;
  const MatrixF w = randomMatrix(4, 6, 6), full = x * w.transpose();
  MatrixF cut = x;
  cut.col(2).setZero();
  cut.col(5).setZero();
  const MatrixF without = cut * w.transpose();
  const Eigen::RowVectorXf bias = (w.col(2) * x.col(2).mean() + w.col(5) * x.col(5).mean()).transpose();
  EXPECT_LT(((without.rowwise() + bias) - full).squaredNorm(), (without - full).squaredNorm());
}

TEST(Allocation, HullDropsOffersAboveIt) {
  const std::vector<Offer> offers{{10, 0}, {8, 3}, {6, 2}, {4, 9}, {2, 10}};
  EXPECT_EQ(lowerHull(offers), (std::vector<size_t>{0, 2, 4}));
}

TEST(Allocation, CheapestSegmentsFirstTheLastInPart) {
  const std::vector<std::vector<Offer>> items{{{10, 0}, {5, 1}, {0, 10}}, {{10, 0}, {0, 5}}};
  std::vector<Allotment> result;
  ASSERT_TRUE(allocate(items, 12, result)); // 0.2 a unit for five, then 0.5 a unit for three of ten
  EXPECT_EQ(result[0].to, 1u);
  EXPECT_EQ(result[0].part, 1.0);
  EXPECT_EQ(result[1].to, 1u);
  EXPECT_NEAR(result[1].part, 0.3, 1e-12);
  EXPECT_FALSE(allocate(items, -1, result));
}

} // namespace
