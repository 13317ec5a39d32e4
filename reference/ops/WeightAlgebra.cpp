// See WeightAlgebra.h.
#include "reference/ops/WeightAlgebra.h"
#include "reference/ops/Stored.h"
#include <algorithm>
#include <numeric>

namespace xfmr::reference {

// A tensor around one axis: [outer, extent, inner].
struct AroundAxis {
  int64_t outer = 1, extent, inner = 1;
  AroundAxis(const std::vector<int64_t> &shape, int64_t axis) : extent(shape[axis]) {
    for (int64_t i = 0; i < static_cast<int64_t>(shape.size()); ++i)
      (i < axis ? outer : inner) *= i == axis ? 1 : shape[i];
  }
};

Tensor takeAlong(const Tensor &x, int64_t axis, llvm::ArrayRef<int64_t> indices) {
  const AroundAxis view(x.shape, axis);
  Tensor y;
  y.shape = x.shape;
  y.shape[axis] = static_cast<int64_t>(indices.size());
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t index : indices) {
      const double *entry = x.values.data() + (o * view.extent + index) * view.inner;
      y.values.insert(y.values.end(), entry, entry + view.inner);
    }
  return y;
}

Tensor product(const Tensor &a, const Tensor &b) {
  Tensor y({a.rows(), b.columns()});
  for (int64_t o = 0; o < a.rows(); ++o)
    for (int64_t m = 0; m < a.columns(); ++m)
      for (int64_t i = 0; i < b.columns(); ++i)
        y.row(o)[i] += a.row(o)[m] * b.row(m)[i];
  return y;
}

// Rounds to the op's element type and sets the result.
template <typename OpType> static Status finish(OpType op, Evaluation &evaluation, Tensor value) {
  roundTo(op.getType().getElementType(), value);
  evaluation.set(op.getResult(), std::move(value));
  return Status::success();
}

Status evaluate(WeightConcatOp op, Evaluation &evaluation) {
  const int64_t axis = op.getAxis();
  Tensor y(std::vector<int64_t>(op.getType().getShape()));
  const AroundAxis whole(y.shape, axis);
  int64_t offset = 0; // along the axis
  for (mlir::Value input : op.getInputs()) {
    const Tensor &x = evaluation.get(input);
    const AroundAxis part(x.shape, axis);
    const int64_t run = part.extent * part.inner;
    for (int64_t o = 0; o < part.outer; ++o)
      std::copy_n(x.values.data() + o * run, run,
                  y.values.data() + (o * whole.extent + offset) * whole.inner);
    offset += part.extent;
  }
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(WeightSliceOp op, Evaluation &evaluation) {
  std::vector<int64_t> indices(op.getSize());
  std::iota(indices.begin(), indices.end(), static_cast<int64_t>(op.getOffset()));
  evaluation.set(op.getResult(), takeAlong(evaluation.get(op.getInput()), op.getAxis(), indices));
  return Status::success();
}

Status evaluate(WeightGatherOp op, Evaluation &evaluation) {
  evaluation.set(op.getResult(),
                 takeAlong(evaluation.get(op.getInput()), op.getAxis(), op.getIndices()));
  return Status::success();
}

Status evaluate(WeightMaskOp op, Evaluation &evaluation) {
  const Tensor &x = evaluation.get(op.getInput());
  const AroundAxis view(x.shape, op.getAxis());
  Tensor y(x.shape);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t index : op.getKeep()) {
      const int64_t begin = (o * view.extent + index) * view.inner;
      std::copy_n(x.values.data() + begin, view.inner, y.values.data() + begin);
    }
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(WeightInterleaveOp op, Evaluation &evaluation) {
  const Tensor &x = evaluation.get(op.getInput());
  const int64_t half = x.shape[op.getAxis()] / 2;
  std::vector<int64_t> indices;
  for (int64_t j = 0; j < half; ++j)
    indices.insert(indices.end(), {j, half + j});
  evaluation.set(op.getResult(), takeAlong(x, op.getAxis(), indices));
  return Status::success();
}

Status evaluate(WeightTransposeOp op, Evaluation &evaluation) {
  const Tensor &x = evaluation.get(op.getInput());
  Tensor y(std::vector<int64_t>(op.getType().getShape()));
  const int64_t columns = x.columns(), rows = x.shape[x.shape.size() - 2];
  const int64_t matrices = x.values.size() / (rows * columns);
  for (int64_t m = 0; m < matrices; ++m)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        y.values[(m * columns + c) * rows + r] = x.values[(m * rows + r) * columns + c];
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(WeightStackOp op, Evaluation &evaluation) {
  Tensor y;
  y.shape = std::vector<int64_t>(op.getType().getShape());
  for (mlir::Value input : op.getInputs()) {
    const Tensor &x = evaluation.get(input);
    y.values.insert(y.values.end(), x.values.begin(), x.values.end());
  }
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(WeightSelectOp op, Evaluation &evaluation) {
  Tensor y = takeAlong(evaluation.get(op.getInput()), 0, static_cast<int64_t>(op.getIndex()));
  y.shape.erase(y.shape.begin());
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

Status evaluate(WeightAddLowrankOp op, Evaluation &evaluation) {
  Tensor y = product(evaluation.get(op.getB()), evaluation.get(op.getA()));
  const Tensor &base = evaluation.get(op.getBase());
  for (size_t i = 0; i < y.values.size(); ++i)
    y.values[i] = base.values[i] + op.getScale().convertToDouble() * y.values[i];
  return finish(op, evaluation, std::move(y));
}

Status evaluate(WeightProductOp op, Evaluation &evaluation) {
  return finish(op, evaluation, product(evaluation.get(op.getLhs()), evaluation.get(op.getRhs())));
}

Status evaluate(WeightAddOp op, Evaluation &evaluation) {
  Tensor y = evaluation.get(op.getLhs());
  const Tensor &other = evaluation.get(op.getRhs());
  for (size_t i = 0; i < y.values.size(); ++i)
    y.values[i] += other.values[i];
  return finish(op, evaluation, std::move(y));
}

Status evaluate(WeightScaleOp op, Evaluation &evaluation) {
  Tensor y = evaluation.get(op.getInput());
  for (double &value : y.values)
    value *= op.getFactor().convertToDouble();
  return finish(op, evaluation, std::move(y));
}

} // namespace xfmr::reference
