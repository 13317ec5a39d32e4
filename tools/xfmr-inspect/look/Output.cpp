// See Output.h.
#include "tools/xfmr-inspect/look/Output.h"

#include "passes/calibration/Parallel.h"

#include <cmath>

using namespace mlir;

namespace xfmr::inspect {

LogicalResult pullThroughNorm(Operation *norm, const MatrixF &input, Forward &forward, MatrixF &u) {
  auto rms = dyn_cast<RmsNormOp>(norm);
  auto layer = dyn_cast<LayerNormOp>(norm);
  const MatrixF *weight = forward.weight(rms ? rms.getWeight() : layer.getWeight());
  if (!weight)
    return failure();
  const auto eps = static_cast<float>((rms ? rms.getEps() : layer.getEps()).convertToDouble());
  Eigen::RowVectorXf scale = weight->col(0).transpose();
  if (rms && rms.getUnitOffset())
    scale.array() += 1.0f;
  const Eigen::Index width = scale.size();
  parallelRows(u.rows(), 64, [&](int64_t first, int64_t rows) {
    for (Eigen::Index row = first; row < first + rows; ++row)
      for (Eigen::Index at = 0; at < u.cols(); at += width) {
        auto v = u.row(row).segment(at, width);
        auto x = input.row(row).segment(at, width);
        const float mean = layer ? x.mean() : 0.0f;
        const float squares = (x.array() - mean).square().sum();
        v = v.cwiseProduct(scale) * (1.0f / std::sqrt(squares / static_cast<float>(width) + eps));
        if (layer)
          v.array() -= v.mean();
      }
  });
  return success();
}

// The only reader of a value, or null; probes only look.
static Operation *readerOf(Value value) {
  Operation *reader = nullptr;
  for (Operation *user : value.getUsers())
    if (!isa<ProbeOp>(user)) {
      if (reader)
        return nullptr;
      reader = user;
    }
  return reader;
}

Status Output::open(ModelOp model, Forward &forward) {
  model_ = model;
  forward_ = &forward;
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    last_ = block.getResult(0);
  if (!last_)
    return Status::error("the model has no blocks to look into");
  Operation *op = readerOf(last_);
  for (; isa_and_nonnull<ScaleOp, RmsNormOp, LayerNormOp>(op); op = readerOf(op->getResult(0)))
    before_.push_back(op);
  head_ = dyn_cast_or_null<LinearOp>(op);
  for (op = head_ ? readerOf(head_.getResult()) : nullptr; isa_and_nonnull<ScaleOp, SoftcapOp>(op);
       op = readerOf(op->getResult(0))) {
    if (auto scale = dyn_cast<ScaleOp>(op); scale && !capped_)
      after_ *= static_cast<float>(scale.getFactor().convertToDouble());
    capped_ |= isa<SoftcapOp>(op);
  }
  if (!head_ || op != model.getBody().front().getTerminator())
    refusal_ = "the logits are not norms and one linear map of what the last block gives";
  return Status::success();
}

std::string Output::how() const {
  std::string norms = "the final norm's";
  for (Operation *op : before_)
    if (isa<LayerNormOp>(op))
      norms = "the final norm's mean is taken off and its";
  return norms + " divisor at each token is kept as the whole text gives it; its weight and factors count" +
         (capped_ ? "; the logit is that before the cap" : "");
}

LogicalResult Output::logits(const MatrixF &residual, MatrixF &out) {
  Activations known;
  known[last_] = residual;
  Value wanted = model_.getBody().front().getTerminator()->getOperand(0);
  if (failed(forward_->evaluate(wanted, residual.rows(), known)))
    return failure();
  out = std::move(known.find(wanted)->second);
  return success();
}

LogicalResult Output::directions(const MatrixF &residual, ArrayRef<int32_t> tokens, MatrixF &u,
                                 std::vector<float> &constants) {
  Activations known;
  known[last_] = residual;
  for (Operation *op : before_)
    if (failed(forward_->evaluate(op->getResult(0), residual.rows(), known)))
      return failure();
  const MatrixF *head = forward_->weight(head_.getWeight());
  if (!head)
    return failure();
  u.resize(residual.rows(), head->cols());
  for (Eigen::Index row = 0; row < u.rows(); ++row)
    u.row(row) = head->row(tokens[row]) * after_;
  constants.assign(u.rows(), 0.0f);
  if (head_.getBias()) {
    const MatrixF *bias = forward_->weight(head_.getBias());
    if (!bias)
      return failure();
    for (Eigen::Index row = 0; row < u.rows(); ++row)
      constants[row] += (*bias)(tokens[row], 0) * after_;
  }
  for (Operation *op : llvm::reverse(before_)) {
    if (auto scale = dyn_cast<ScaleOp>(op)) {
      u *= static_cast<float>(scale.getFactor().convertToDouble());
      continue;
    }
    if (auto layer = dyn_cast<LayerNormOp>(op); layer && layer.getBias()) {
      const MatrixF *bias = forward_->weight(layer.getBias());
      if (!bias)
        return failure();
      for (Eigen::Index row = 0; row < u.rows(); ++row)
        constants[row] += u.row(row).dot(bias->col(0).transpose());
    }
    if (failed(pullThroughNorm(op, known.find(op->getOperand(0))->second, *forward_, u)))
      return failure();
  }
  return success();
}

} // namespace xfmr::inspect
