// See Objective.h. Rows go through the head a few at a time, so that no more logits are held.
#include "passes/transforms/distill/Objective.h"

#include "passes/calibration/Parallel.h"
#include "passes/calibration/Products.h"

using namespace mlir;

namespace xfmr {

FailureOr<OutputHead> OutputHead::of(ModelOp model) {
  OutputHead head;
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    if (block.getNumResults() == 1)
      head.input = block.getResult(0);
  Value at = model.getBody().front().getTerminator()->getOperand(0);
  while (auto scale = at.getDefiningOp<ScaleOp>()) {
    head.factor *= scale.getFactor().convertToDouble();
    at = scale.getInput();
  }
  head.linear = at.getDefiningOp<LinearOp>();
  head.norm = head.linear ? head.linear.getInput().getDefiningOp() : nullptr;
  if (head.norm && isa<RmsNormOp, LayerNormOp>(head.norm) && head.norm->getOperand(0) == head.input)
    return head;
  Operation *found = at.getDefiningOp() ? at.getDefiningOp() : model.getOperation();
  return (head.norm ? head.norm : found)
      ->emitError("cannot distil into this model, expected one norm and one linear map behind the last block");
}

LogicalResult Objective::visit(ArrayRef<Sequence> ended, int64_t first, llvm::function_ref<void(size_t, Rows &)> use,
                               Divergence &sum) {
  const int64_t vocab = cast<RankedTensorType>(head_.linear.getType()).getDimSize(1), length = teacher_.window();
  const int64_t run = std::max<int64_t>(1, (int64_t(1) << 21) / vocab);
  for (auto [index, sequence] : llvm::enumerate(ended)) {
    for (int64_t at = 0; at < sequence.values.rows(); at += run) {
      Rows rows;
      rows.at = at;
      rows.residual = sequence.values.middleRows(at, std::min(run, sequence.values.rows() - at));
      const int64_t count = rows.residual.rows();
      Activations known;
      known[head_.input] = rows.residual;
      if (failed(forward_.evaluate(head_.norm->getResult(0), count, known)) ||
          failed(forward_.evaluate(head_.linear.getResult(), count, known)))
        return failure();
      rows.x = known.find(head_.norm->getResult(0))->second;
      MatrixF logits = std::move(known.find(head_.linear.getResult())->second);
      logits *= static_cast<float>(head_.factor);
      rows.q = rows.difference = MatrixF::Zero(count, vocab);
      rows.kl = VectorD::Zero(count);
      parallelRows(count, 8, [&](int64_t begin, int64_t part) {
        for (int64_t row = begin; row < begin + part; ++row) {
          const int64_t position = (at + row) % length;
          if (position + 1 == length)
            continue;
          const double most = logits.row(row).maxCoeff();
          const double norm = most + std::log((logits.row(row).cast<double>().array() - most).exp().sum());
          rows.q.row(row) = (logits.row(row).cast<double>().array() - norm).exp().matrix().cast<float>();
          rows.difference.row(row) = rows.q.row(row);
          rows.kl[row] = teacher_.difference(first + (at + row) / length, position, logits.row(row).data(), norm,
                                             rows.difference.row(row).data());
        }
      });
      sum.kl += rows.kl.sum();
      use(index, rows);
    }
    const int64_t windows = sequence.values.rows() / length;
    first += windows;
    sum.positions += windows * (length - 1);
  }
  return success();
}

LogicalResult Objective::measure(ArrayRef<Sequence> ended, int64_t first, Divergence &out) {
  return visit(
      ended, first, [](size_t, Rows &) {}, out);
}

LogicalResult Objective::differentiate(ArrayRef<Sequence> ended, int64_t first, std::vector<MatrixF> &gradients,
                                       MatrixD &curvature) {
  const MatrixF *weight = forward_.weight(head_.linear.getWeight()),
                *scales = forward_.weight(head_.norm->getOperand(1));
  if (!weight || !scales)
    return failure();
  auto rms = dyn_cast<RmsNormOp>(head_.norm);
  const double eps = (rms ? rms.getEps() : cast<LayerNormOp>(head_.norm).getEps()).convertToDouble();
  Eigen::RowVectorXf gain = scales->col(0).transpose();
  if (rms && rms.getUnitOffset())
    gain.array() += 1.0f;
  const MatrixF back = (*weight * gain.asDiagonal()).transpose() * static_cast<float>(head_.factor); // [D, vocab]
  gradients.clear();
  for (const Sequence &sequence : ended)
    gradients.push_back(MatrixF::Zero(sequence.values.rows(), sequence.values.cols()));
  VectorD shares = VectorD::Zero(back.cols());
  MatrixD means = MatrixD::Zero(back.rows(), back.rows());
  Divergence sum;
  auto add = [&](size_t index, Rows &rows) {
    MatrixF v, mean;
    multiplyTransposed(rows.difference, back, v);
    multiplyTransposed(rows.q, back, mean);
    for (Eigen::Index row = 0; row < v.rows(); ++row) {
      Eigen::RowVectorXf r = rows.residual.row(row), d = v.row(row);
      if (!rms) {
        r.array() -= r.mean();
        d.array() -= d.mean();
      }
      const float size = std::sqrt(r.squaredNorm() / static_cast<float>(r.size()) + static_cast<float>(eps));
      gradients[index].row(rows.at + row) = (d - r * (r.dot(d) / (static_cast<float>(r.size()) * size * size))) / size;
      mean.row(row) /= size;
      rows.q.row(row) /= size * size;
    }
    shares += rows.q.cast<double>().colwise().sum().transpose();
    addGram(mean.cast<double>(), means);
  };
  if (failed(visit(ended, first, add, sum)))
    return failure();
  const MatrixD wide = back.cast<double>();
  curvature = (multiply(wide * shares.asDiagonal(), wide.transpose()) - means) / static_cast<double>(sum.positions);
  return success();
}

LogicalResult Objective::measureHead(ArrayRef<Sequence> ended, int64_t first, HeadSums &out) {
  const auto type = cast<RankedTensorType>(head_.linear.getWeight().getType());
  out = {MatrixD::Zero(type.getDimSize(0), type.getDimSize(1)), MatrixD::Zero(type.getDimSize(1), type.getDimSize(1)),
         VectorD::Zero(type.getDimSize(0))};
  Divergence sum;
  return visit(
      ended, first,
      [&](size_t, Rows &rows) {
        // The last position of a window counts nowhere: its row of differences is zero, and its x is left out of the Gram matrix.
        for (Eigen::Index row = 0; row < rows.x.rows(); ++row)
          if ((rows.at + row + 1) % teacher_.window() == 0)
            rows.x.row(row).setZero();
        const MatrixD x = rows.x.cast<double>();
        addCross(rows.difference.cast<double>() * head_.factor, x, out.cross);
        addGram(x, out.gram);
        out.shares += (rows.q.array() * (1.0f - rows.q.array())).matrix().cast<double>().colwise().sum().transpose() *
                      (head_.factor * head_.factor);
      },
      sum);
}

} // namespace xfmr
