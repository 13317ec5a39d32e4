// See LeastSquares.h.
#include "passes/calibration/LeastSquares.h"

#include "passes/calibration/Cholesky.h"
#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"
#include "passes/calibration/Surgery.h"

#include <algorithm>
#include <numeric>

namespace xfmr {
namespace {

using Columns = llvm::SmallVector<int64_t>;

Columns range(int64_t count) {
  Columns indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

// Positions among what is left, ascending, of the `gone` columns of least cost in each set; each set holds `left`
// consecutive ones.
Columns leastColumns(const Surgery &surgery, int64_t sets, int64_t left, int64_t gone) {
  Columns least;
  for (int64_t set = 0; set < sets; ++set) {
    llvm::SmallVector<double> costs;
    for (int64_t i = 0; i < left; ++i)
      costs.push_back(surgery.cost(set * left + i));
    Columns order = range(left);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return costs[a] < costs[b]; });
    order.resize(gone);
    for (int64_t i : order)
      least.push_back(set * left + i);
  }
  llvm::sort(least);
  return least;
}

} // namespace

void NormalEquations::add(const MatrixF &x, const MatrixF &t) {
  constexpr Eigen::Index kRows = 4096; // bounds the f64 copies
  for (Eigen::Index row = 0; row < x.rows(); row += kRows) {
    const Eigen::Index rows = std::min(kRows, x.rows() - row);
    const MatrixD xs = widened(x, row, rows), ts = widened(t, row, rows);
    addGram(xs, gram);
    addCross(ts, xs, cross);
    targetSquares += ts.squaredNorm();
  }
}

double damping(const MatrixD &gram, double share) { return share * gram.diagonal().mean(); }

MatrixD fitColumns(const NormalEquations &sums, llvm::ArrayRef<int64_t> kept, double ridge, const MatrixD *prior) {
  const MatrixD gram = squareAt(sums.gram, kept);
  const Cholesky factors(gram, ridge);
  MatrixD wanted = columnsAt(sums.cross, kept);
  if (!prior)
    return factors.solve(wanted.transpose()).transpose();
  const MatrixD present = columnsAt(*prior, kept);
  subtractProduct(present, gram, wanted);
  return present + factors.solve(wanted.transpose()).transpose();
}

double fitError(const NormalEquations &sums, llvm::ArrayRef<int64_t> kept, const MatrixD &weight) {
  const MatrixD gram = squareAt(sums.gram, kept), cross = columnsAt(sums.cross, kept);
  return sums.targetSquares - 2 * weight.cwiseProduct(cross).sum() + multiply(weight, gram).cwiseProduct(weight).sum();
}

llvm::SmallVector<Columns> keepColumns(const NormalEquations &sums, llvm::ArrayRef<int64_t> keeps, int64_t block,
                                       int64_t sets, double ridge, const MatrixD *prior) {
  Surgery surgery(sums, ridge, prior);
  int64_t left = sums.gram.rows() / sets;
  llvm::SmallVector<Columns> lists;
  for (int64_t keep : keeps) {
    for (; left - keep > block; left -= block)
      surgery.remove(leastColumns(surgery, sets, left, block));
    // The last ones need no fit after them, and a smaller number goes on from before.
    lists.push_back(surgery.without(leastColumns(surgery, sets, left, std::max<int64_t>(0, left - keep))));
  }
  return lists;
}

llvm::SmallVector<Columns> keepUnits(const NormalEquations &sums, int64_t width, int64_t groups,
                                     llvm::ArrayRef<int64_t> keeps, double ridge, const MatrixD *prior) {
  const int64_t units = sums.gram.rows() / width, groupSize = units / groups;
  const Surgery whole(sums, ridge, prior);
  Surgery surgery = whole;
  Columns alive = range(units), left(groups, groupSize);
  llvm::SmallVector<Columns> lists;
  for (int64_t keep : keeps) {
    if (groups > 1) { // a group that has given all it has to gives more for a smaller number, so the order is another one
      surgery = whole;
      alive = range(units);
      left.assign(groups, groupSize);
    }
    while (static_cast<int64_t>(alive.size()) > keep * groups) {
      std::vector<double> costs(alive.size());
      parallelFor(alive.size(), [&](int64_t i) { costs[i] = surgery.costOfRun(i * width, width); });
      int64_t worst = -1;
      for (size_t i = 0; i < alive.size(); ++i)
        if (left[alive[i] / groupSize] > keep && (worst < 0 || costs[i] < costs[worst]))
          worst = static_cast<int64_t>(i);
      Columns gone(width);
      std::iota(gone.begin(), gone.end(), worst * width);
      surgery.remove(gone);
      --left[alive[worst] / groupSize];
      alive.erase(alive.begin() + worst);
    }
    lists.push_back(alive);
  }
  return lists;
}

llvm::SmallVector<int64_t> keepLargest(llvm::ArrayRef<double> scores, int64_t keep) {
  llvm::SmallVector<int64_t> order = range(scores.size());
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  order.resize(keep);
  llvm::sort(order);
  return order;
}

} // namespace xfmr
