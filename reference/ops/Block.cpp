// See Block.h.
#include "reference/ops/Block.h"

namespace xfmr::reference {

Status evaluate(BlockOp op, Evaluation &evaluation) {
  std::vector<TensorRef> inputs, results;
  for (mlir::Value input : op.getInputs())
    inputs.push_back(evaluation.ref(input));
  Status status = evaluation.runRegion(op.getBody(), inputs, /*inherit=*/false, results);
  if (status.ok())
    for (auto [result, tensor] : llvm::zip(op.getResults(), results))
      evaluation.set(result, tensor);
  return status;
}

} // namespace xfmr::reference
