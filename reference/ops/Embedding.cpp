// See Embedding.h.
#include "reference/ops/Embedding.h"

namespace xfmr::reference {

Status embedding(const Tensor &ids, const Tensor &table, const Tensor *positions,
                 int64_t firstPosition, Tensor &y) {
  const int64_t tokens = ids.rows(), width = table.columns();
  if (positions && firstPosition + tokens > positions->rows())
    return Status::error("position " + std::to_string(firstPosition + tokens - 1) +
                         " is outside the " + std::to_string(positions->rows()) +
                         " learned positions");
  y = Tensor({tokens, width});
  for (int64_t t = 0; t < tokens; ++t) {
    const int64_t id = static_cast<int64_t>(ids.values[t]);
    if (id < 0 || id >= table.rows())
      return Status::error("token id " + std::to_string(id) + " is outside the vocabulary of " +
                           std::to_string(table.rows()));
    for (int64_t i = 0; i < width; ++i)
      y.row(t)[i] = table.row(id)[i] + (positions ? positions->row(firstPosition + t)[i] : 0.0);
  }
  return Status::success();
}

Status evaluate(EmbeddingOp op, Evaluation &evaluation) {
  if (op.getPosition())
    return Status::error("explicit positions belong to later stages than the interpreter reads");
  Tensor y;
  Status status = embedding(evaluation.get(op.getTokens()), evaluation.get(op.getTable()),
                            evaluation.find(op.getPositions()), evaluation.position(), y);
  if (status.ok())
    evaluation.set(op.getResult(), std::move(y));
  return status;
}

} // namespace xfmr::reference
