// See LeastSquares.h.
#include "passes/calibration/LeastSquares.h"

#include <algorithm>
#include <numeric>

namespace xfmr {
namespace {

MatrixD columnsAt(const MatrixD &matrix, llvm::ArrayRef<int64_t> columns) {
  MatrixD picked(matrix.rows(), columns.size());
  for (size_t i = 0; i < columns.size(); ++i)
    picked.col(i) = matrix.col(columns[i]);
  return picked;
}

MatrixD squareAt(const MatrixD &matrix, llvm::ArrayRef<int64_t> indices) {
  MatrixD picked(indices.size(), indices.size());
  for (size_t j = 0; j < indices.size(); ++j)
    for (size_t i = 0; i < indices.size(); ++i)
      picked(i, j) = matrix(indices[i], indices[j]);
  return picked;
}

llvm::SmallVector<int64_t> range(int64_t count) {
  llvm::SmallVector<int64_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

} // namespace

void NormalEquations::add(const MatrixF &x, const MatrixF &t) {
  constexpr Eigen::Index kRows = 4096; // bounds the f64 copies
  for (Eigen::Index row = 0; row < x.rows(); row += kRows) {
    const Eigen::Index rows = std::min(kRows, x.rows() - row);
    const MatrixD xs = x.middleRows(row, rows).cast<double>(), ts = t.middleRows(row, rows).cast<double>();
    gram.noalias() += xs.transpose() * xs;
    cross.noalias() += ts.transpose() * xs;
    targetSquares += ts.squaredNorm();
  }
}

double damping(const MatrixD &gram, double share) { return share * gram.diagonal().mean(); }

Fit fitColumns(const NormalEquations &sums, llvm::ArrayRef<int64_t> kept, double ridge, const MatrixD *prior) {
  const MatrixD gram = squareAt(sums.gram, kept);
  MatrixD damped = gram;
  damped.diagonal().array() += ridge;
  Fit fit;
  fit.inverse = damped.llt().solve(MatrixD::Identity(gram.rows(), gram.cols()));
  const MatrixD cross = columnsAt(sums.cross, kept);
  if (!prior) {
    fit.weight.noalias() = cross * fit.inverse;
    return fit;
  }
  const MatrixD present = columnsAt(*prior, kept);
  fit.weight = present + (cross - present * gram) * fit.inverse;
  return fit;
}

double fitError(const NormalEquations &sums, llvm::ArrayRef<int64_t> kept, const MatrixD &weight) {
  const MatrixD gram = squareAt(sums.gram, kept), cross = columnsAt(sums.cross, kept);
  return sums.targetSquares - 2 * weight.cwiseProduct(cross).sum() + (weight * gram).cwiseProduct(weight).sum();
}

llvm::SmallVector<int64_t> keepColumns(const NormalEquations &sums, int64_t keep, int64_t block, int64_t sets,
                                       double ridge, const MatrixD *prior) {
  llvm::SmallVector<int64_t> kept = range(sums.gram.rows());
  const int64_t width = sums.gram.rows() / sets;
  for (int64_t left = width; left > keep;) {
    const Fit fit = fitColumns(sums, kept, ridge, prior);
    const int64_t gone = std::min(block, left - keep);
    std::vector<bool> remove(kept.size());
    for (int64_t set = 0; set < sets; ++set) { // each holds `left` consecutive entries of `kept`
      llvm::SmallVector<int64_t> order = range(left);
      auto cost = [&](int64_t i) {
        const int64_t column = set * left + i;
        return fit.weight.col(column).squaredNorm() / fit.inverse(column, column);
      };
      llvm::SmallVector<double> costs;
      for (int64_t i : order)
        costs.push_back(cost(i));
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return costs[a] < costs[b]; });
      for (int64_t i = 0; i < gone; ++i)
        remove[set * left + order[i]] = true;
    }
    llvm::SmallVector<int64_t> next;
    for (size_t i = 0; i < kept.size(); ++i)
      if (!remove[i])
        next.push_back(kept[i]);
    kept = std::move(next);
    left -= gone;
  }
  return kept;
}

llvm::SmallVector<int64_t> keepUnits(const NormalEquations &sums, int64_t width, int64_t groups, int64_t keep,
                                     double ridge, const MatrixD *prior) {
  const int64_t units = sums.gram.rows() / width, groupSize = units / groups;
  llvm::SmallVector<int64_t> alive = range(units), left(groups, groupSize);
  while (static_cast<int64_t>(alive.size()) > keep * groups) {
    llvm::SmallVector<int64_t> columns;
    for (int64_t unit : alive)
      for (int64_t i = 0; i < width; ++i)
        columns.push_back(unit * width + i);
    const Fit fit = fitColumns(sums, columns, ridge, prior);
    double least = 0;
    int64_t worst = -1;
    for (size_t i = 0; i < alive.size(); ++i) {
      if (left[alive[i] / groupSize] <= keep)
        continue;
      const int64_t at = static_cast<int64_t>(i) * width;
      const MatrixD weight = fit.weight.middleCols(at, width);
      const double cost =
          (weight * fit.inverse.block(at, at, width, width).inverse()).cwiseProduct(weight).sum();
      if (worst < 0 || cost < least) {
        least = cost;
        worst = static_cast<int64_t>(i);
      }
    }
    --left[alive[worst] / groupSize];
    alive.erase(alive.begin() + worst);
  }
  return alive;
}

llvm::SmallVector<int64_t> keepLargest(llvm::ArrayRef<double> scores, int64_t keep) {
  llvm::SmallVector<int64_t> order = range(scores.size());
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  order.resize(keep);
  llvm::sort(order);
  return order;
}

} // namespace xfmr
