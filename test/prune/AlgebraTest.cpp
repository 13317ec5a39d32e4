// Products, solves and surgery on all threads: against slow definitions of the same, and the same bits on any number of
// threads.
#include "passes/calibration/Cholesky.h"
#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"
#include "passes/calibration/Surgery.h"
#include "test/prune/RandomMatrix.h"

#include <gtest/gtest.h>
#include <atomic>
#include <numeric>
#include <random>

using namespace xfmr;
using Columns = llvm::SmallVector<int64_t>;

namespace {

struct Problem {
  MatrixF x, t;
  MatrixD prior;
  NormalEquations sums;
  Problem(int64_t tokens, int64_t inputs, int64_t outputs)
      : x(randomMatrix(tokens, inputs, 1)), prior(randomMatrix(outputs, inputs, 2).cast<double>()), sums(inputs, outputs) {
    for (int64_t j = 1; j < inputs; j += 3)
      x.col(j) += 0.8f * x.col(j - 1); // what one loses another can take over
    t = x * prior.cast<float>().transpose();
    sums.add(x, t);
  }
};

// Surgery by its definition: everything solved again after each step.
struct Solved {
  MatrixD inverse, weight;
  Solved(const Problem &p, const Columns &kept, double ridge) {
    MatrixD gram = squareAt(p.sums.gram, kept);
    gram.diagonal().array() += ridge;
    inverse = gram.inverse();
    weight = columnsAt(p.sums.cross, kept) * inverse;
  }
};

Columns all(int64_t count) {
  Columns columns(count);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

Columns slowColumns(const Problem &p, int64_t keep, int64_t block, int64_t sets, double ridge) {
  Columns kept = all(p.x.cols());
  for (int64_t left = p.x.cols() / sets; left > keep;) {
    const Solved now(p, kept, ridge);
    const int64_t gone = std::min(block, left - keep);
    Columns next;
    for (int64_t set = 0; set < sets; ++set) {
      std::vector<std::pair<double, int64_t>> costs;
      for (int64_t i = set * left; i < (set + 1) * left; ++i)
        costs.push_back({now.weight.col(i).squaredNorm() / now.inverse(i, i), kept[i]});
      std::stable_sort(costs.begin(), costs.end(), [](auto &a, auto &b) { return a.first < b.first; });
      std::sort(costs.begin() + gone, costs.end(), [](auto &a, auto &b) { return a.second < b.second; });
      for (int64_t i = gone; i < left; ++i)
        next.push_back(costs[i].second);
    }
    kept = next;
    left -= gone;
  }
  return kept;
}

TEST(Parallel, EveryPieceOnceOnAnyNumberOfThreads) {
  for (unsigned threads : {1u, 2u, 5u}) {
    setCalibrationThreads(threads);
    std::vector<std::atomic<int>> seen(100);
    parallelFor(100, [&](int64_t i) { parallelFor(3, [&](int64_t) { ++seen[i]; }); });
    for (auto &count : seen)
      EXPECT_EQ(count, 3);
  }
  setCalibrationThreads(0);
}

TEST(Parallel, LowerTilesCoverTheTriangle) {
  MatrixD covered = MatrixD::Zero(70, 70);
  parallelTiles(70, 70, 32, /*lower=*/true, [&](const Tile &tile) { tile.of(covered).array() += 1; });
  EXPECT_EQ(covered.triangularView<Eigen::Lower>().toDenseMatrix().sum(), 70 * 71 / 2);
  EXPECT_EQ(covered.maxCoeff(), 1);
  EXPECT_EQ(covered(0, 69), 0);
}

// Entries are sums of k products of numbers around 1, so rounding in any order stays below k * eps * sqrt(k) * few.
TEST(Products, EqualEigens) {
  const MatrixF x = randomMatrix(600, 70, 3), w = randomMatrix(530, 70, 4);
  MatrixF y;
  multiplyTransposed(x, w, y);
  EXPECT_LT((y - x * w.transpose()).cwiseAbs().maxCoeff(), 70 * 6e-8 * 9 * 4);
  const MatrixD a = randomMatrix(300, 270, 5).cast<double>(), b = randomMatrix(300, 290, 6).cast<double>();
  MatrixD gram = MatrixD::Identity(270, 270), cross = MatrixD::Identity(270, 290);
  addGram(a, gram);
  addCross(a, b, cross);
  EXPECT_LT((gram - MatrixD::Identity(270, 270) - a.transpose() * a).cwiseAbs().maxCoeff(), 300 * 2.3e-16 * 18 * 4);
  EXPECT_LT((cross - MatrixD::Identity(270, 290) - a.transpose() * b).cwiseAbs().maxCoeff(), 300 * 2.3e-16 * 18 * 4);
  EXPECT_TRUE(gram == gram.transpose());
  MatrixD rest = cross;
  subtractProduct(multiply(a.transpose(), a), cross, rest);
  EXPECT_LT((rest - (cross - a.transpose() * a * cross)).cwiseAbs().maxCoeff(), 1e-8);
}

TEST(Cholesky, SolvesAndInvertsOverSeveralBlocks) {
  Problem p(500, 300, 7);
  MatrixD damped = p.sums.gram;
  damped.diagonal().array() += 2.0;
  const Cholesky factors(p.sums.gram, 2.0);
  // Condition at most trace / ridge = 500 * 300 * 1.6 / 2 = 1.2e5; times eps 2.3e-16 and some.
  EXPECT_LT((factors.solve(damped) - MatrixD::Identity(300, 300)).cwiseAbs().maxCoeff(), 1e-9);
  const MatrixD inverse = factors.inverse();
  EXPECT_LT((damped * inverse - MatrixD::Identity(300, 300)).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_TRUE(inverse == inverse.transpose());
  const MatrixD lower = factors.solveLower(damped); // L^T
  EXPECT_LT((lower.transpose() * lower - damped).cwiseAbs().maxCoeff(), 1e-9 * damped.maxCoeff());
}

TEST(Surgery, KeepsWhatSolvingAgainKeeps) {
  Problem p(400, 96, 11);
  const double ridge = damping(p.sums.gram, 1e-2);
  const auto lists = keepColumns(p.sums, {96, 90, 48, 41, 12}, /*block=*/6, /*sets=*/1, ridge, nullptr);
  ASSERT_EQ(lists.size(), 5u);
  for (auto [list, keep] : llvm::zip(lists, Columns{96, 90, 48, 41, 12}))
    EXPECT_EQ(list, slowColumns(p, keep, 6, 1, ridge)) << keep;
  EXPECT_EQ(keepColumns(p.sums, 20, 5, /*sets=*/2, ridge, nullptr).front(), slowColumns(p, 20, 5, 2, ridge));
}

TEST(Surgery, LeavesTheFitOfWhatIsLeft) {
  Problem p(400, 96, 11);
  const double ridge = damping(p.sums.gram, 1e-2);
  const Columns gone{0, 3, 17, 40, 41, 95};
  for (const MatrixD *prior : {static_cast<const MatrixD *>(nullptr), const_cast<const MatrixD *>(&p.prior)}) {
    Surgery surgery(p.sums, ridge, prior);
    surgery.remove(gone);
    const Columns kept = surgery.without({});
    ASSERT_EQ(kept.size(), 90u);
    // |W_j|^2 / [H^-1]_jj of the fit solved again.
    MatrixD damped = squareAt(p.sums.gram, kept);
    damped.diagonal().array() += ridge;
    const MatrixD inverse = damped.inverse(), weight = fitColumns(p.sums, kept, ridge, prior);
    for (int64_t i : {0, 44, 89}) {
      const double cost = weight.col(i).squaredNorm() / inverse(i, i);
      EXPECT_NEAR(surgery.cost(i), cost, 1e-9 * cost);
      EXPECT_NEAR(surgery.costOfRun(i, 1), cost, 1e-9 * cost);
    }
    const MatrixD run = weight.middleCols(4, 8);
    const double cost = (run * inverse.block(4, 4, 8, 8).inverse()).cwiseProduct(run).sum();
    EXPECT_NEAR(surgery.costOfRun(4, 8), cost, 1e-9 * cost);
  }
}

TEST(Surgery, UnitsForSeveralNumbersAreThoseOfEach) {
  Problem p(300, 48, 9);
  for (int64_t groups : {1, 3}) {
    const auto lists = keepUnits(p.sums, /*width=*/4, groups, {3, 2, 1}, 1.0, nullptr);
    for (int64_t keep : {3, 2, 1})
      EXPECT_EQ(lists[3 - keep], keepUnits(p.sums, 4, groups, keep, 1.0, nullptr).front());
  }
}

// What a computation gives on one thread, and on others.
template <typename Function> void expectSameBits(Function compute) {
  setCalibrationThreads(1);
  const auto one = compute();
  for (unsigned threads : {2u, 3u, 8u}) {
    setCalibrationThreads(threads);
    EXPECT_TRUE(one == compute()) << threads;
  }
  setCalibrationThreads(0);
}

TEST(Threads, DoNotChangeProductsAndSolves) {
  const MatrixF x = randomMatrix(1100, 130, 3), w = randomMatrix(700, 130, 4);
  expectSameBits([&] {
    MatrixF y;
    multiplyTransposed(x, w, y);
    return y;
  });
  Problem p(900, 530, 33);
  expectSameBits([&] {
    NormalEquations sums(530, 33);
    sums.add(p.x, p.t);
    return std::pair(sums.gram, sums.cross);
  });
  expectSameBits([&] { return Cholesky(p.sums.gram, 3.0).inverse(); });
  expectSameBits([&] { return fitColumns(p.sums, all(520), 3.0, &p.prior); });
  expectSameBits([&] { return keepColumns(p.sums, {400, 300}, 33, 1, 3.0, nullptr); });
}

} // namespace
