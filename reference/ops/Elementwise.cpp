// See Elementwise.h.
#include "reference/ops/Elementwise.h"
#include <algorithm>

namespace xfmr::reference {

// Operands of one op may come from different places, so their extents are compared, not believed.
static Status checkSameShape(const Tensor &a, const Tensor &b) {
  if (a.shape == b.shape)
    return Status::success();
  return Status::error("operands have different numbers of rows: " + std::to_string(a.rows()) +
                       " and " + std::to_string(b.rows()));
}

Status evaluate(AddOp op, Evaluation &evaluation) {
  Tensor y = evaluation.get(op.getLhs());
  const Tensor &other = evaluation.get(op.getRhs());
  if (Status status = checkSameShape(y, other); status.failed())
    return status;
  for (size_t i = 0; i < y.values.size(); ++i)
    y.values[i] += other.values[i];
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(MulOp op, Evaluation &evaluation) {
  Tensor y = evaluation.get(op.getLhs());
  const Tensor &other = evaluation.get(op.getRhs());
  if (Status status = checkSameShape(y, other); status.failed())
    return status;
  for (size_t i = 0; i < y.values.size(); ++i)
    y.values[i] *= other.values[i];
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(ScaleOp op, Evaluation &evaluation) {
  Tensor y = evaluation.get(op.getInput());
  for (double &value : y.values)
    value *= op.getFactor().convertToDouble();
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(RowScaleOp op, Evaluation &evaluation) {
  Tensor y = evaluation.get(op.getInput());
  const Tensor &factor = evaluation.get(op.getFactor());
  if (factor.rows() != y.rows())
    return Status::error("factor has " + std::to_string(factor.rows()) + " rows, the input " +
                         std::to_string(y.rows()));
  for (int64_t t = 0; t < y.rows(); ++t)
    for (int64_t i = 0; i < y.columns(); ++i)
      y.row(t)[i] *= factor.values[t];
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(SplitOp op, Evaluation &evaluation) {
  const Tensor &x = evaluation.get(op.getInput());
  int64_t offset = 0;
  for (mlir::Value result : op.getResults()) {
    const int64_t width = llvm::cast<mlir::RankedTensorType>(result.getType()).getDimSize(1);
    Tensor part({x.rows(), width});
    for (int64_t t = 0; t < x.rows(); ++t)
      std::copy_n(x.row(t) + offset, width, part.row(t));
    evaluation.set(result, std::move(part));
    offset += width;
  }
  return Status::success();
}

} // namespace xfmr::reference
