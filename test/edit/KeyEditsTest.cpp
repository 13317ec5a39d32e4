// The edit's properties on small random problems: it maps the key, spares what is orthogonal to it,
// costs least.
#include "passes/calibration/KeyEdits.h"
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
  Status solve(const MatrixD &gram, double ridge, const MatrixD &keys, const MatrixD &values, KeyEdits &out,
               double textWeight = 0) {
    return solveEdits(EditedMap{keys, gram, ridge}, values - weight.cast<double>() * keys, 400, textWeight, out);
  }
  KeyEdits edit(double ridge = 0) {
    KeyEdits out;
    const Status status = solve(gram, ridge, key, value, out);
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
  }
  VectorD missing() { return value - weight.cast<double>() * key; }
  // sum over the inputs of |change x|^2, by its definition
  double onInputs(const MatrixD &change) { return (x * change.transpose()).squaredNorm(); }
};

MatrixD product(const KeyEdits &edit, size_t map = 0) {
  return edit.b.cast<double>() * edit.a[map].cast<double>();
}

// The factors are f32: each entry of their product is right to 2^-23, summed over ten terms.
constexpr double kRounding = 5e-6;

TEST(KeyEdits, MapsTheKeyToTheValue) {
  Problem p;
  const KeyEdits edit = p.edit();
  EXPECT_LT(((p.weight.cast<double>() + product(edit)) * p.key - p.value).norm(), kRounding);
  EXPECT_GT(p.missing().norm(), 1);
  EXPECT_NEAR((edit.a[0].cast<double>() * p.key)(0), 1, kRounding);
}

TEST(KeyEdits, SparesWhatIsOrthogonalToTheKey) {
  Problem p;
  const VectorD solved = p.gram.inverse() * p.key;
  for (int i = 0; i < 5; ++i) {
    VectorD other = p.random.matrix(10, 1);
    other -= p.key * (solved.dot(other) / solved.dot(p.key)); // (C^-1 k)^T other = 0
    EXPECT_GT(other.norm(), 1);
    EXPECT_LT((product(p.edit()) * other).norm(), kRounding * other.norm());
  }
}

TEST(KeyEdits, IsTheLeastOfAllChangesThatMapTheKey) {
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

TEST(KeyEdits, DampingLeadsToTheSmallestChange) {
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

TEST(KeyEdits, CostByHand) {
  const MatrixF before = MatrixF::Identity(2, 2);
  MatrixF after = before;
  after(0, 1) = 0.5f;
  const MatrixD gram = Eigen::Vector2d(7, 9).asDiagonal();
  const EditCost cost = editCost(EditedMap{Eigen::Vector2d(1, 2), gram}, before, after, Eigen::Vector2d(2, 4));
  EXPECT_DOUBLE_EQ(cost.weight, 0.5 / std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(cost.text, std::sqrt(0.25 * 9 / 16));
  EXPECT_DOUBLE_EQ(cost.value, 2 / std::sqrt(20.0)); // gives (2, 2)
}

// Three keys at once, two of them near to each other.
struct Many : Problem {
  MatrixD keys = random.matrix(10, 3), values = random.matrix(6, 3);
  Many() { keys.col(1) = keys.col(0) + 0.1 * keys.col(1); }
  KeyEdits edit(double textWeight = 0) {
    KeyEdits out;
    const Status status = solve(gram, 0, keys, values, out, textWeight);
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
  }
  MatrixD missing() { return values - weight.cast<double>() * keys; }
};

TEST(KeyEdits, ManyKeysGetTheirValuesAtTheLeastCost) {
  Many p;
  const MatrixD change = product(p.edit());
  EXPECT_LT((change * p.keys - p.missing()).norm(), 20 * kRounding); // near keys need large opposite factors
  const double least = p.onInputs(change);
  const MatrixD apart =
      MatrixD::Identity(10, 10) - p.keys * (p.keys.transpose() * p.keys).inverse() * p.keys.transpose();
  for (double size : {1e-2, 1e-1, 1.0}) {
    const MatrixD nothing = size * p.random.matrix(6, 10) * apart; // maps all keys to zero
    EXPECT_GT(p.onInputs(change + nothing), least * (1 - 1e-5)) << size;
  }
}

// MEMIT's form of the answer (arXiv 2210.07229, eq. 14): R K^T (lambda C + K K^T)^-1, C = E[x x^T].
TEST(KeyEdits, TheTextsWeightIsMemitsLambda) {
  Many p;
  for (double lambda : {0.01, 1.0, 100.0}) {
    const MatrixD change = product(p.edit(lambda));
    const MatrixD wanted =
        p.missing() * p.keys.transpose() * (lambda * p.gram / 400 + p.keys * p.keys.transpose()).inverse();
    EXPECT_LT((change - wanted).norm(), 1e-5 * wanted.norm()) << lambda;
  }
}

// Two maps whose outputs add up are one map of both inputs side by side, with a second moment of two blocks.
TEST(KeyEdits, SeveralMapsAreOneOfAllTheirInputs) {
  Many p;
  const MatrixD gram = p.gram.block(0, 0, 4, 4), rest = p.gram.block(4, 4, 6, 6);
  const std::vector<EditedMap> maps = {{p.keys.topRows(4), gram}, {p.keys.bottomRows(6), rest}};
  const std::vector<MatrixF> weights = {p.weight.leftCols(4), p.weight.rightCols(6)};
  EXPECT_LT((valuesOf(maps, weights) - p.weight.cast<double>() * p.keys).norm(), 1e-12);
  KeyEdits apart, together;
  ASSERT_TRUE(solveEdits(maps, p.missing(), 400, 0, apart).ok());
  MatrixD both = MatrixD::Zero(10, 10);
  both.block(0, 0, 4, 4) = gram;
  both.block(4, 4, 6, 6) = rest;
  ASSERT_TRUE(p.solve(both, 0, p.keys, p.values, together).ok());
  MatrixD change(6, 10);
  change << product(apart, 0), product(apart, 1);
  EXPECT_LT((change - product(together)).norm(), 1e-4 * change.norm());
  EXPECT_LT((change * p.keys - p.missing()).norm(), 20 * kRounding);
}

TEST(KeyEdits, Refuses) {
  Problem p;
  KeyEdits out;
  EXPECT_EQ(p.solve(p.gram, 0, VectorD::Zero(10), p.value, out).message(),
            "the key is zero, so no map gives it a value");
  const MatrixD few = p.x.topRows(4).transpose() * p.x.topRows(4);
  const std::string singular = "the second moment of the inputs cannot be inverted; give more text or a larger damping";
  EXPECT_EQ(p.solve(few, 0, p.key, p.value, out).message(), singular);
  EXPECT_EQ(p.solve(MatrixD::Constant(10, 10, NAN), 0, p.key, p.value, out).message(), singular);
  EXPECT_TRUE(p.solve(few, damping(few, 1e-3), p.key, p.value, out).ok());
  EXPECT_EQ(p.solve(p.gram, 0, p.key, 1e39 * p.value, out).message(), "the edit exceeds the range of f32");
}

TEST(KeyEdits, RefusesKeysThatCannotAllHaveTheirValues) {
  Many p;
  KeyEdits out;
  MatrixD keys = p.keys;
  keys.col(2).setZero();
  EXPECT_EQ(p.solve(p.gram, 0, keys, p.values, out).message(), "the key of edit 3 is zero, so no map gives it a value");
  keys.col(2) = -2 * keys.col(0);
  EXPECT_EQ(p.solve(p.gram, 0, keys, p.values, out).message(),
            "edits 1 and 3 have the same key, which can have one value; text-weight=X above 0 gives it a mean");
  EXPECT_TRUE(p.solve(p.gram, 0, keys, p.values, out, 0.1).ok());
  keys.col(2) = keys.col(0) + keys.col(1);
  keys.col(1) = p.random.matrix(10, 1);
  keys.col(0) = keys.col(2) - keys.col(1);
  EXPECT_EQ(p.solve(p.gram, 0, keys, p.values, out).message(),
            "the keys of the edits depend on each other, so they cannot all have their values; text-weight=X above 0 "
            "gives them in "
            "part");
}

} // namespace
