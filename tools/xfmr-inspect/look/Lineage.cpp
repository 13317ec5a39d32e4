// See Lineage.h.
#include "tools/xfmr-inspect/look/Lineage.h"

#include "dialect/Structure.h"
#include "passes/calibration/Products.h"

#include <numeric>

using namespace mlir;

namespace xfmr::inspect {
namespace {

constexpr float kSame = 0.25f;   // of a squared norm
constexpr float kNever = -1e20f; // a bias that no logit makes up for

// Rows [first, first + units * each) of a weight as [units, each * columns].
MatrixF grouped(const MatrixF &weight, int64_t first, int64_t units, int64_t each) {
  const MatrixF part = weight.middleRows(first, units * each);
  return Eigen::Map<const MatrixF>(part.data(), units, each * part.cols());
}

// Which runs of `width` columns of a weight are zeros.
std::vector<char> zeroColumns(const MatrixF &weight, int64_t width) {
  std::vector<char> zero(weight.cols() / width);
  for (size_t unit = 0; unit < zero.size(); ++unit)
    zero[unit] = (weight.middleCols(static_cast<Eigen::Index>(unit) * width, width).array() == 0).all();
  return zero;
}

bool isNear(const MatrixF &before, int64_t old, const MatrixF &after, int64_t row) {
  return (after.row(row) - before.row(old)).squaredNorm() <= kSame * before.row(old).squaredNorm();
}

// The gate's rows of a packed weight; of a plain one all.
MatrixF gateRows(GluOp packed, const MatrixF &weight) {
  const Eigen::Index width = weight.rows() / 2;
  if (packed.getLayout() == GluLayout::concat)
    return weight.topRows(width);
  MatrixF gate(width, weight.cols());
  for (Eigen::Index row = 0; row < width; ++row)
    gate.row(row) = weight.row(2 * row);
  return gate;
}

} // namespace

LogicalResult readHeads(AttentionUnits units, Forward &forward, Makers &out) {
  out = Makers();
  if (!units.out)
    return success();
  const MatrixF *read = forward.weight(units.out.getWeight());
  if (!read)
    return failure();
  out.silent = zeroColumns(*read, units.headDim());
  const ProjectedRows rows = projectedRowsOf(headPathOf(units.attention.getQuery()).projected);
  if (!rows || rows.count % units.numHeads())
    return success();
  const MatrixF *made = forward.weight(LinearOp(rows.linear).getWeight());
  if (!made)
    return failure();
  out.rows = grouped(*made, rows.first, units.numHeads(), rows.count / units.numHeads());
  return success();
}

LogicalResult readChannels(FeedForwardUnits units, int64_t expert, Forward &forward, Makers &out) {
  out = Makers();
  const MatrixF *read = forward.weight(units.down.getWeight(), expert);
  if (!read)
    return failure();
  out.silent = zeroColumns(*read, 1);
  const std::optional<HiddenLayer> hidden = hiddenLayerOf(units.hidden);
  if (!hidden)
    return success();
  if (GluOp packed = hidden->packed) {
    const MatrixF *made = forward.weight(packed.getWeight(), expert);
    if (made)
      out.rows = gateRows(packed, *made);
    return success(made != nullptr);
  }
  const ProjectedRows rows = projectedRowsOf(hidden->gate);
  if (!rows)
    return success();
  const MatrixF *made = forward.weight(LinearOp(rows.linear).getWeight(), expert);
  if (made)
    out.rows = made->middleRows(rows.first, rows.count);
  return success(made != nullptr);
}

LogicalResult readExperts(MoeOp mixture, Forward &forward, Makers &out) {
  out = Makers();
  out.silent.assign(mixture.getNumExperts(), 0);
  const MatrixF *made = forward.weight(mixture.getRouter());
  if (!made)
    return failure();
  out.rows = *made;
  for (Value bias : {mixture.getRouterBias(), mixture.getSelectionBias()}) {
    const MatrixF *added = bias ? forward.weight(bias) : nullptr;
    if (bias && !added)
      return failure();
    for (Eigen::Index expert = 0; added && expert < added->rows(); ++expert)
      out.silent[expert] |= (*added)(expert, 0) < kNever;
  }
  return success();
}

std::vector<int64_t> lineageOf(const MatrixF &before, const MatrixF &after) {
  std::vector<int64_t> of(after.rows(), -1);
  if (before.cols() != after.cols() || before.rows() == 0)
    return of;
  bool inPlace = before.rows() == after.rows();
  for (Eigen::Index row = 0; inPlace && row < after.rows(); ++row)
    inPlace = isNear(before, row, after, row);
  if (inPlace) {
    std::iota(of.begin(), of.end(), 0);
    return of;
  }
  MatrixF products;
  multiplyTransposed(after, before, products);
  const Eigen::RowVectorXf squares = before.rowwise().squaredNorm().transpose();
  std::vector<char> used(before.rows());
  for (Eigen::Index row = 0; row < after.rows(); ++row) {
    int64_t nearest = -1;
    float least = 0;
    for (Eigen::Index old = 0; old < before.rows(); ++old)
      if (const float distance = squares[old] - 2 * products(row, old); !used[old] && (nearest < 0 || distance < least))
        nearest = old, least = distance;
    if (nearest < 0 || !isNear(before, nearest, after, row))
      continue;
    of[row] = nearest;
    used[nearest] = 1;
  }
  return of;
}

std::optional<std::vector<int64_t>> unitsTaken(const Makers &before, const Makers &after) {
  std::vector<char> left(before.units());
  std::vector<int64_t> of(after.units());
  std::iota(of.begin(), of.end(), 0);
  if (before.rows.size() && after.rows.size())
    of = lineageOf(before.rows, after.rows);
  else if (before.units() != after.units())
    return std::nullopt;
  for (size_t unit = 0; unit < of.size(); ++unit) {
    if (of[unit] < 0 && !after.silent[unit])
      return std::nullopt;
    if (of[unit] >= 0 && !after.silent[unit])
      left[of[unit]] = 1;
  }
  std::vector<int64_t> taken;
  for (int64_t unit = 0; unit < before.units(); ++unit)
    if (!left[unit] && !before.silent[unit])
      taken.push_back(unit);
  return taken;
}

} // namespace xfmr::inspect
