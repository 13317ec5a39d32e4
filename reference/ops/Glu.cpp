// See Glu.h.
#include "reference/ops/Glu.h"
#include "reference/ops/Activation.h"
#include "reference/ops/Linear.h"
#include <algorithm>

namespace xfmr::reference {

Tensor glu(const Tensor &x, const Tensor &w, const Tensor *b, ActivationKind kind, GluLayout layout,
           std::optional<GluClamp> clamp) {
  const Tensor packed = linear(x, w, b); // [T, 2F]
  const int64_t width = w.rows() / 2;
  Tensor y({x.rows(), width});
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t j = 0; j < width; ++j) {
      const bool interleaved = layout == GluLayout::interleaved;
      double gate = packed.row(t)[interleaved ? 2 * j : j];
      double up = packed.row(t)[interleaved ? 2 * j + 1 : width + j];
      if (clamp) {
        gate = std::min(gate, clamp->limit);
        up = std::clamp(up, -clamp->limit, clamp->limit);
        y.row(t)[j] =
            (up + 1) * gate * activation(ActivationKind::sigmoid, clamp->alpha * gate);
      } else {
        y.row(t)[j] = activation(kind, gate) * up;
      }
    }
  return y;
}

Status evaluate(GluOp op, Evaluation &evaluation) {
  std::optional<GluClamp> clamp;
  if (op.getAlpha())
    clamp = GluClamp{op.getAlpha()->convertToDouble(), op.getLimit()->convertToDouble()};
  evaluation.set(op.getResult(), glu(evaluation.get(op.getInput()), evaluation.get(op.getWeight()),
                                     evaluation.find(op.getBias()), op.getKind(), op.getLayout(),
                                     clamp));
  return Status::success();
}

} // namespace xfmr::reference
