// See Norm.h.
#include "reference/ops/Norm.h"
#include <cmath>

namespace xfmr::reference {

Tensor rmsNorm(const Tensor &x, const Tensor &w, double eps, bool unitOffset) {
  Tensor y = x;
  const int64_t width = w.rows();
  for (int64_t t = 0; t < x.rows(); ++t)
    for (double *group = y.row(t); group != y.row(t) + x.columns(); group += width) {
      double squares = 0;
      for (int64_t i = 0; i < width; ++i)
        squares += group[i] * group[i];
      const double factor = 1 / std::sqrt(squares / width + eps);
      for (int64_t i = 0; i < width; ++i)
        group[i] *= factor * (unitOffset ? 1 + w.values[i] : w.values[i]);
    }
  return y;
}

Tensor layerNorm(const Tensor &x, const Tensor &w, const Tensor *b, double eps) {
  Tensor y = x;
  const int64_t width = x.columns();
  for (int64_t t = 0; t < x.rows(); ++t) {
    double *row = y.row(t);
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < width; ++i)
      mean += row[i] / width;
    for (int64_t i = 0; i < width; ++i)
      variance += (row[i] - mean) * (row[i] - mean) / width;
    const double factor = 1 / std::sqrt(variance + eps);
    for (int64_t i = 0; i < width; ++i)
      row[i] = (row[i] - mean) * factor * w.values[i] + (b ? b->values[i] : 0.0);
  }
  return y;
}

Status evaluate(RmsNormOp op, Evaluation &evaluation) {
  evaluation.set(op.getResult(),
                 rmsNorm(evaluation.get(op.getInput()), evaluation.get(op.getWeight()),
                         op.getEps().convertToDouble(), op.getUnitOffset()));
  return Status::success();
}

Status evaluate(LayerNormOp op, Evaluation &evaluation) {
  evaluation.set(op.getResult(),
                 layerNorm(evaluation.get(op.getInput()), evaluation.get(op.getWeight()),
                           evaluation.find(op.getBias()), op.getEps().convertToDouble()));
  return Status::success();
}

} // namespace xfmr::reference
