// Clusters of units: equal ones by similarity, and Ward's rule, on small problems with a known answer.
#include "passes/calibration/Clusters.h"
#include "test/prune/RandomMatrix.h"

#include <gtest/gtest.h>

using namespace xfmr;

namespace {

double inside(const MatrixD &similarity, const Clusters &clusters) {
  double sum = 0;
  for (const auto &cluster : clusters)
    for (int64_t a : cluster)
      for (int64_t b : cluster)
        sum += similarity(a, b);
  return sum;
}

TEST(BalancedClusters, FindsBlocks) {
  MatrixD similarity = MatrixD::Constant(12, 12, 0.1);
  for (int64_t i = 0; i < 12; ++i)
    for (int64_t j = 0; j < 12; ++j)
      if (i % 3 == j % 3)
        similarity(i, j) = 1;
  const Clusters clusters = balancedClusters(similarity, 3);
  ASSERT_EQ(clusters.size(), 3u);
  EXPECT_EQ(clusters[0], (llvm::SmallVector<int64_t>{0, 3, 6, 9}));
  EXPECT_EQ(clusters[1], (llvm::SmallVector<int64_t>{1, 4, 7, 10}));
  EXPECT_EQ(clusters[2], (llvm::SmallVector<int64_t>{2, 5, 8, 11}));
}

TEST(BalancedClusters, EverySizeIsEqualAndNoExchangeHelps) {
  const MatrixD x = randomMatrix(30, 20, 7).cast<double>().cwiseAbs2();
  const MatrixD similarity = x.transpose() * x;
  const Clusters clusters = balancedClusters(similarity, 5);
  ASSERT_EQ(clusters.size(), 5u);
  llvm::SmallVector<int64_t> all;
  for (const auto &cluster : clusters) {
    EXPECT_EQ(cluster.size(), 4u);
    EXPECT_TRUE(std::is_sorted(cluster.begin(), cluster.end()));
    all.append(cluster);
  }
  std::sort(all.begin(), all.end());
  for (int64_t i = 0; i < 20; ++i)
    EXPECT_EQ(all[i], i);
  const double sum = inside(similarity, clusters);
  for (size_t a = 0; a < 5; ++a)
    for (size_t b = a + 1; b < 5; ++b)
      for (size_t i = 0; i < 4; ++i)
        for (size_t j = 0; j < 4; ++j) {
          Clusters other = clusters;
          std::swap(other[a][i], other[b][j]);
          EXPECT_LE(inside(similarity, other), sum * (1 + 1e-9));
        }
}

TEST(BalancedClusters, NothingIsKnown) {
  const Clusters clusters = balancedClusters(MatrixD::Zero(6, 6), 3);
  EXPECT_EQ(clusters[0], (llvm::SmallVector<int64_t>{0, 1}));
  EXPECT_EQ(clusters[2], (llvm::SmallVector<int64_t>{4, 5}));
}

MatrixD innerOf(const std::vector<double> &points) {
  MatrixD inner(points.size(), points.size());
  for (size_t i = 0; i < points.size(); ++i)
    for (size_t j = 0; j < points.size(); ++j)
      inner(i, j) = points[i] * points[j];
  return inner;
}

TEST(WardClusters, JoinsWhatIsNear) {
  const Clusters clusters = wardClusters(innerOf({0, 5, 0.1, 5.2, 9}), VectorD::Ones(5), 3);
  ASSERT_EQ(clusters.size(), 3u);
  EXPECT_EQ(clusters[0], (llvm::SmallVector<int64_t>{0, 2}));
  EXPECT_EQ(clusters[1], (llvm::SmallVector<int64_t>{1, 3}));
  EXPECT_EQ(clusters[2], (llvm::SmallVector<int64_t>{4}));
}

// 1 and 2 are nearer to each other than 0 and 1, but 0 weighs next to nothing: 0.01 * 4 < 10 * 10 / 20 * 1.
TEST(WardClusters, MassDecides) {
  VectorD mass(3);
  mass << 0.01, 10, 10;
  const Clusters clusters = wardClusters(innerOf({0, 2, 3}), mass, 2);
  EXPECT_EQ(clusters[0], (llvm::SmallVector<int64_t>{0, 1}));
  EXPECT_EQ(clusters[1], (llvm::SmallVector<int64_t>{2}));
}

// The mean of a joined cluster is that of its points by mass: (1 * 0 + 3 * 2) / 4 = 1.5 lies nearer to 4 than 7.5 does.
TEST(WardClusters, MeansAreByMass) {
  VectorD mass(4);
  mass << 1, 3, 1, 1;
  const Clusters clusters = wardClusters(innerOf({0, 2, 4, 7.5}), mass, 2);
  EXPECT_EQ(clusters[0], (llvm::SmallVector<int64_t>{0, 1, 2}));
  EXPECT_EQ(clusters[1], (llvm::SmallVector<int64_t>{3}));
}

} // namespace
