// See RankOneEdit.h.
#include "passes/calibration/RankOneEdit.h"

#include <algorithm>
#include <limits>

namespace xfmr {

Status rankOneEdit(const MatrixF &weight, const MatrixD &gram, double ridge, const VectorD &key,
                   const VectorD &value, RankOneEdit &out) {
  if (key.isZero(0.0))
    return Status::error("the key is zero, so no map gives it a value");
  MatrixD damped = gram;
  damped.diagonal().array() += ridge;
  const Eigen::LLT<MatrixD> factors(damped);
  const double least = static_cast<double>(gram.rows()) * std::numeric_limits<double>::epsilon();
  if (factors.info() != Eigen::Success || !(factors.rcond() >= least))
    return Status::error(
        "the second moment of the inputs cannot be inverted; give more text or a larger damping");
  const VectorD solved = factors.solve(key);
  const VectorD direction = (solved / solved.dot(key)).cast<float>().cast<double>();
  // Against the rounded direction, so that only b's own rounding is left.
  const VectorD change = (value - weight.cast<double>() * key) / direction.dot(key);
  out.a = direction.transpose().cast<float>();
  out.b = change.cast<float>();
  if (!out.a.allFinite() || !out.b.allFinite())
    return Status::error("the edit exceeds the range of f32");
  return Status::success();
}

EditCost editCost(const MatrixF &before, const MatrixF &after, const MatrixD &gram,
                  const VectorD &key, const VectorD &value) {
  const MatrixD was = before.cast<double>(), is = after.cast<double>(), change = is - was;
  auto onText = [&](const MatrixD &map) { return (map * gram).cwiseProduct(map).sum(); };
  const double largest = std::max(value.norm(), (was * key).norm());
  return {change.norm() / was.norm(), std::sqrt(std::max(onText(change), 0.0) / onText(was)),
          largest > 0 ? (is * key - value).norm() / largest : 0};
}

} // namespace xfmr
