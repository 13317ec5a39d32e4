// See Probe.h.
#include "reference/ops/Probe.h"

namespace xfmr::reference {

Status evaluate(ProbeOp op, Evaluation &evaluation) {
  evaluation.observeInner(op, op.getLabel(), evaluation.get(op.getInput()));
  return Status::success();
}

} // namespace xfmr::reference
