// See Activation.h.
#include "reference/ops/Activation.h"
#include <cmath>

namespace xfmr::reference {

double activation(ActivationKind kind, double x) {
  switch (kind) {
  case ActivationKind::relu:
    return x > 0 ? x : 0;
  case ActivationKind::gelu:
    return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  case ActivationKind::gelu_tanh:
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case ActivationKind::silu:
    return x / (1 + std::exp(-x));
  case ActivationKind::sigmoid:
    return 1 / (1 + std::exp(-x));
  case ActivationKind::tanh:
    return std::tanh(x);
  case ActivationKind::relu2:
    return x > 0 ? x * x : 0;
  }
  return NAN;
}

Status evaluate(ActivationOp op, Evaluation &evaluation) {
  Tensor y = evaluation.get(op.getInput());
  for (double &value : y.values)
    value = activation(op.getKind(), value);
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(SoftcapOp op, Evaluation &evaluation) {
  const double cap = op.getCap().convertToDouble();
  Tensor y = evaluation.get(op.getInput());
  for (double &value : y.values)
    value = cap * std::tanh(value / cap);
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(ClampOp op, Evaluation &evaluation) {
  const double limit = op.getLimit().convertToDouble();
  Tensor y = evaluation.get(op.getInput());
  for (double &value : y.values)
    value = std::min(std::max(value, -limit), limit);
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(PositionScaleOp op, Evaluation &evaluation) {
  if (op.getPosition())
    return Status::error("explicit positions belong to later stages than the interpreter reads");
  const double floor = op.getGrowth().getFloor().convertToDouble(), scale = op.getGrowth().getScale().convertToDouble();
  const double shift = static_cast<double>(op.getGrowth().getShift());
  Tensor y = evaluation.get(op.getInput());
  for (int64_t t = 0; t < y.rows(); ++t) {
    const double position = static_cast<double>(evaluation.position() + t);
    const double factor = 1 + scale * std::log(1 + std::floor((position + shift) / floor));
    for (int64_t i = 0; i < y.columns(); ++i)
      y.row(t)[i] *= factor;
  }
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

} // namespace xfmr::reference
