// The edit's properties on small random problems: it maps the key, spares what is orthogonal to it,
// costs least.
#include "passes/calibration/RankOneEdit.h"
#include "passes/calibration/LeastSquares.h"

#include <gtest/gtest.h>
#include <random>

using namespace xfmr;

namespace {

struct Random {
  std::mt19937 generator;
  std::normal_distribution<double> normal;
  explicit Random(unsigned seed) : generator(seed) {}
  MatrixD matrix(int64_t rows, int64_t columns) {
    return MatrixD::NullaryExpr(rows, columns, [&] { return normal(generator); });
  }
};

// A map of 10 inputs to 6 outputs; inputs of unequal size, two of them correlated.
struct Problem {
  Random random{1};
  MatrixF weight = random.matrix(6, 10).cast<float>();
  MatrixD x = random.matrix(400, 10), gram;
  VectorD key = random.matrix(10, 1), value = random.matrix(6, 1);
  Problem() {
    x.col(3) += 0.9 * x.col(1);
    x.col(7) *= 5;
    gram = x.transpose() * x;
  }
  RankOneEdit edit(double ridge = 0) {
    RankOneEdit out;
    const Status status = rankOneEdit(weight, gram, ridge, key, value, out);
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
  }
  VectorD missing() { return value - weight.cast<double>() * key; }
  // sum over the inputs of |change x|^2, by its definition
  double onInputs(const MatrixD &change) { return (x * change.transpose()).squaredNorm(); }
};

MatrixD product(const RankOneEdit &edit) {
  return edit.b.cast<double>() * edit.a.cast<double>();
}

// The factors are f32: each entry of their product is right to 2^-23, summed over ten terms.
constexpr double kRounding = 5e-6;

TEST(RankOneEdit, MapsTheKeyToTheValue) {
  Problem p;
  const RankOneEdit edit = p.edit();
  EXPECT_LT(((p.weight.cast<double>() + product(edit)) * p.key - p.value).norm(), kRounding);
  EXPECT_GT(p.missing().norm(), 1);
  EXPECT_NEAR((edit.a.cast<double>() * p.key)(0), 1, kRounding);
}

TEST(RankOneEdit, SparesWhatIsOrthogonalToTheKey) {
  Problem p;
  const VectorD solved = p.gram.inverse() * p.key;
  for (int i = 0; i < 5; ++i) {
    VectorD other = p.random.matrix(10, 1);
    other -= p.key * (solved.dot(other) / solved.dot(p.key)); // (C^-1 k)^T other = 0
    EXPECT_GT(other.norm(), 1);
    EXPECT_LT((product(p.edit()) * other).norm(), kRounding * other.norm());
  }
}

TEST(RankOneEdit, IsTheLeastOfAllChangesThatMapTheKey) {
  Problem p;
  const MatrixD change = product(p.edit());
  const double least = p.onInputs(change);
  const MatrixD plain = p.missing() * p.key.transpose() / p.key.squaredNorm(); // C = I
  EXPECT_LT((plain * p.key - p.missing()).norm(), 1e-12);
  EXPECT_GT(p.onInputs(plain), 1.5 * least);
  const MatrixD apart = MatrixD::Identity(10, 10) - p.key * p.key.transpose() / p.key.squaredNorm();
  for (double size : {1e-2, 1e-1, 1.0}) {
    const MatrixD nothing = size * p.random.matrix(6, 10) * apart; // maps the key to zero
    EXPECT_GT(p.onInputs(change + nothing), least * (1 + 1e-5)) << size;
  }
}

TEST(RankOneEdit, DampingLeadsToTheSmallestChange) {
  Problem p;
  const MatrixD plain = p.missing() * p.key.transpose() / p.key.squaredNorm();
  EXPECT_LT((product(p.edit(1e12)) - plain).norm(), kRounding);
  double norm = 1e300, cost = 0;
  for (double ridge : {0.0, 1e2, 1e4, 1e12}) {
    const MatrixD change = product(p.edit(ridge));
    EXPECT_LT((change * p.key - p.missing()).norm(), kRounding) << ridge; // the key keeps its value
    EXPECT_LT(change.norm(), norm) << ridge;
    EXPECT_GT(p.onInputs(change), cost) << ridge;
    norm = change.norm();
    cost = p.onInputs(change);
  }
}

TEST(RankOneEdit, CostByHand) {
  const MatrixF before = MatrixF::Identity(2, 2);
  MatrixF after = before;
  after(0, 1) = 0.5f;
  const MatrixD gram = Eigen::Vector2d(7, 9).asDiagonal();
  const EditCost cost = editCost(before, after, gram, Eigen::Vector2d(1, 2), Eigen::Vector2d(2, 4));
  EXPECT_DOUBLE_EQ(cost.weight, 0.5 / std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(cost.text, std::sqrt(0.25 * 9 / 16));
  EXPECT_DOUBLE_EQ(cost.value, 2 / std::sqrt(20.0)); // gives (2, 2)
}

TEST(RankOneEdit, Refuses) {
  Problem p;
  RankOneEdit out;
  EXPECT_EQ(rankOneEdit(p.weight, p.gram, 0, VectorD::Zero(10), p.value, out).message(),
            "the key is zero, so no map gives it a value");
  const MatrixD few = p.x.topRows(4).transpose() * p.x.topRows(4);
  const std::string singular =
      "the second moment of the inputs cannot be inverted; give more text or a larger damping";
  EXPECT_EQ(rankOneEdit(p.weight, few, 0, p.key, p.value, out).message(), singular);
  EXPECT_EQ(rankOneEdit(p.weight, MatrixD::Constant(10, 10, NAN), 0, p.key, p.value, out).message(),
            singular);
  EXPECT_TRUE(rankOneEdit(p.weight, few, damping(few, 1e-3), p.key, p.value, out).ok());
  EXPECT_EQ(rankOneEdit(p.weight, p.gram, 0, p.key, 1e39 * p.value, out).message(),
            "the edit exceeds the range of f32");
}

} // namespace
