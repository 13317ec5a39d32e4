// See Clusters.h.
#include "passes/calibration/Clusters.h"

#include "llvm/ADT/STLExtras.h"

namespace xfmr {
namespace {

// Which cluster each unit is in, and for every unit the sum of its similarities to each cluster, its own included.
struct Assignment {
  llvm::SmallVector<int64_t> cluster; // [n]
  MatrixD sums;                       // [n, count]

  // What exchanging the clusters of two units adds to the sum inside of clusters, halved.
  double gain(const MatrixD &s, int64_t i, int64_t j) const {
    const int64_t a = cluster[i], b = cluster[j];
    return sums(i, b) - sums(i, a) + sums(j, a) - sums(j, b) + s(i, i) + s(j, j) - 2 * s(i, j);
  }
  void exchange(const MatrixD &s, int64_t i, int64_t j) {
    sums.col(cluster[i]) += s.col(j) - s.col(i);
    sums.col(cluster[j]) += s.col(i) - s.col(j);
    std::swap(cluster[i], cluster[j]);
  }
};

// Clusters grown one after the other: from the unit most like all that are left, by the one most like the cluster.
Assignment grown(const MatrixD &s, int64_t count) {
  const int64_t n = s.rows(), size = n / count;
  Assignment out{llvm::SmallVector<int64_t>(n, -1), MatrixD::Zero(n, count)};
  for (int64_t cluster = 0; cluster < count; ++cluster) {
    VectorD pull = VectorD::Zero(n);
    for (int64_t i = 0; i < n; ++i)
      if (out.cluster[i] < 0)
        pull += s.col(i);
    for (int64_t member = 0; member < size; ++member) {
      int64_t best = -1;
      for (int64_t i = 0; i < n; ++i)
        if (out.cluster[i] < 0 && (best < 0 || pull[i] > pull[best]))
          best = i;
      if (member == 0)
        pull.setZero();
      out.cluster[best] = cluster;
      pull += s.col(best);
      out.sums.col(cluster) += s.col(best);
    }
  }
  return out;
}

Clusters listed(llvm::ArrayRef<int64_t> cluster, int64_t count) {
  Clusters lists(count);
  for (auto [unit, of] : llvm::enumerate(cluster))
    lists[of].push_back(static_cast<int64_t>(unit));
  llvm::sort(lists, [](const auto &a, const auto &b) { return a.front() < b.front(); });
  return lists;
}

} // namespace

Clusters balancedClusters(const MatrixD &similarity, int64_t count) {
  constexpr int kMostSweeps = 50; // each raises the sum; a few suffice
  const int64_t n = similarity.rows();
  Assignment assignment = grown(similarity, count);
  const double least = 1e-12 * std::max(1e-300, similarity.cwiseAbs().sum()); // rounding is no gain
  bool changed = true;
  for (int sweep = 0; sweep < kMostSweeps && changed; ++sweep) {
    changed = false;
    for (int64_t i = 0; i < n; ++i) {
      int64_t best = -1;
      double most = least;
      for (int64_t j = 0; j < n; ++j)
        if (assignment.cluster[i] != assignment.cluster[j])
          if (const double gain = assignment.gain(similarity, i, j); gain > most) {
            most = gain;
            best = j;
          }
      if (best < 0)
        continue;
      assignment.exchange(similarity, i, best);
      changed = true;
    }
  }
  return listed(assignment.cluster, count);
}

Clusters wardClusters(const MatrixD &inner, const VectorD &mass, int64_t count) {
  MatrixD means = inner; // products of the clusters' means
  VectorD masses = mass;
  Clusters clusters;
  for (int64_t i = 0; i < inner.rows(); ++i)
    clusters.push_back({i});
  while (static_cast<int64_t>(clusters.size()) > count) {
    const int64_t n = static_cast<int64_t>(clusters.size());
    int64_t a = 0, b = 1;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = i + 1; j < n; ++j) {
        const double both = masses[i] + masses[j];
        const double cost = both > 0 ? masses[i] * masses[j] / both * (means(i, i) + means(j, j) - 2 * means(i, j)) : 0;
        if (cost < least) {
          least = cost;
          a = i;
          b = j;
        }
      }
    // The mean of both takes row and column a; those of b go.
    const double both = masses[a] + masses[b], share = both > 0 ? masses[b] / both : 0.5;
    MatrixD join = MatrixD::Identity(n, n);
    join(a, a) = 1 - share;
    join(a, b) = share;
    means = (join * means * join.transpose()).eval();
    masses[a] = both;
    clusters[a].append(clusters[b]);
    llvm::sort(clusters[a]);
    llvm::SmallVector<int64_t> rest;
    for (int64_t i = 0; i < n; ++i)
      if (i != b)
        rest.push_back(i);
    means = means(rest, rest).eval();
    masses = masses(rest).eval();
    clusters.erase(clusters.begin() + b);
  }
  llvm::sort(clusters, [](const auto &x, const auto &y) { return x.front() < y.front(); });
  return clusters;
}

} // namespace xfmr
