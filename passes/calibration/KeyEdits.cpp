// See KeyEdits.h.
#include "passes/calibration/KeyEdits.h"

#include <algorithm>
#include <limits>
#include <string>

namespace xfmr {
namespace {

// Keys as directions, by the inner product of C^-1: what is left of each beside those before it is its pivot.
Status checkIndependent(const MatrixD &products) {
  constexpr double kSame =
      1e-8; // of the cosine's square: keys from f32 activations are not more equal than this by chance
  const VectorD scale = products.diagonal().cwiseSqrt().cwiseInverse();
  const MatrixD cosines = scale.asDiagonal() * products * scale.asDiagonal();
  for (Eigen::Index i = 0; i < cosines.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j)
      if (1 - cosines(i, j) * cosines(i, j) < kSame)
        return Status::error("edits " + std::to_string(j + 1) + " and " + std::to_string(i + 1) +
                             " have the same key, which can have one value; text-weight=X above 0 gives it a mean");
  const Eigen::LDLT<MatrixD> factors(cosines);
  if (factors.info() != Eigen::Success || factors.vectorD().minCoeff() < kSame)
    return Status::error(
        "the keys of the edits depend on each other, so they cannot all have their values; text-weight=X above 0 "
        "gives them in part");
  return Status::success();
}

} // namespace

Status solveEdits(llvm::ArrayRef<EditedMap> maps, const MatrixD &changes, double tokens, double textWeight,
                  KeyEdits &out) {
  const Eigen::Index edits = changes.cols();
  const std::string singular = "the second moment of the inputs cannot be inverted; give more text or a larger damping";
  for (Eigen::Index edit = 0; edit < edits; ++edit)
    if (llvm::all_of(maps, [&](const EditedMap &map) { return map.keys.col(edit).isZero(0.0); }))
      return Status::error("the key" + (edits > 1 ? " of edit " + std::to_string(edit + 1) : "") +
                           " is zero, so no map gives it a value");
  std::vector<MatrixD> solved; // C^-1 K
  MatrixD products = MatrixD::Zero(edits, edits);
  for (const EditedMap &map : maps) {
    MatrixD damped = map.gram;
    damped.diagonal().array() += map.ridge;
    const Eigen::LLT<MatrixD> factors(damped);
    const double least = static_cast<double>(damped.rows()) * std::numeric_limits<double>::epsilon();
    if (factors.info() != Eigen::Success || !(factors.rcond() >= least))
      return Status::error(singular);
    solved.push_back(tokens * factors.solve(map.keys));
    products += map.keys.transpose() * solved.back();
  }
  if (textWeight == 0)
    if (Status status = checkIndependent(products); status.failed())
      return status;
  products.diagonal().array() += textWeight;
  const Eigen::LDLT<MatrixD> factors(products);
  MatrixD gains = MatrixD::Zero(edits, edits); // sum_m a_m K_m: the identity up to rounding, or less for textWeight > 0
  out.a.clear();
  for (auto [index, map] : llvm::enumerate(maps)) {
    out.a.push_back(factors.solve(solved[index].transpose()).cast<float>());
    gains += out.a.back().cast<double>() * map.keys;
    if (!out.a.back().allFinite())
      return Status::error("the edit exceeds the range of f32");
  }
  // Against the rounded directions, so that only b's own rounding is left.
  out.b = (textWeight == 0 ? MatrixD(gains.transpose().partialPivLu().solve(changes.transpose()).transpose()) : changes)
              .cast<float>();
  return out.b.allFinite() ? Status::success() : Status::error("the edit exceeds the range of f32");
}

MatrixD valuesOf(llvm::ArrayRef<EditedMap> maps, llvm::ArrayRef<MatrixF> weights) {
  MatrixD values = MatrixD::Zero(weights.front().rows(), maps.front().keys.cols());
  for (auto [map, weight] : llvm::zip_equal(maps, weights))
    values += weight.cast<double>() * map.keys;
  return values;
}

EditCost editCost(llvm::ArrayRef<EditedMap> maps, llvm::ArrayRef<MatrixF> before, llvm::ArrayRef<MatrixF> after,
                  const MatrixD &values) {
  double moved = 0, size = 0, movedOnText = 0, sizeOnText = 0;
  for (auto [index, map] : llvm::enumerate(maps)) {
    const MatrixD was = before[index].cast<double>(), change = after[index].cast<double>() - was;
    const MatrixD &gram = map.gram;
    auto onText = [&](const MatrixD &weight) { return std::max((weight * gram).cwiseProduct(weight).sum(), 0.0); };
    moved += change.squaredNorm();
    size += was.squaredNorm();
    movedOnText += onText(change);
    sizeOnText += onText(was);
  }
  const MatrixD had = valuesOf(maps, before), has = valuesOf(maps, after);
  double missed = 0;
  for (Eigen::Index edit = 0; edit < values.cols(); ++edit)
    if (const double largest = std::max(values.col(edit).norm(), had.col(edit).norm()); largest > 0)
      missed = std::max(missed, (has.col(edit) - values.col(edit)).norm() / largest);
  return {std::sqrt(moved / size), std::sqrt(movedOnText / sizeOnText), missed};
}

} // namespace xfmr
