// See Vocabulary.h.
#include "tools/xfmr-inspect/Vocabulary.h"

using namespace mlir;

namespace xfmr::inspect {

// The only reader of a value, or null.
static Operation *readerOf(Value value) { return value.hasOneUse() ? *value.getUsers().begin() : nullptr; }

Status Vocabulary::addNorm(Operation *norm, int64_t width, Forward &forward) {
  auto rms = dyn_cast<RmsNormOp>(norm);
  const MatrixF *weight = forward.weight(rms ? rms.getWeight() : cast<LayerNormOp>(norm).getWeight());
  if (!weight)
    return Status::error("cannot read the weight of a norm");
  VectorD scale = weight->col(0).cast<double>().replicate(width / weight->rows(), 1); // a norm may be of groups
  if (rms && rms.getUnitOffset())
    scale.array() += 1;
  norms_.push_back({!rms, std::move(scale)});
  return Status::success();
}

Status Vocabulary::open(ModelOp model, Value written, Forward &forward) {
  const int64_t width = cast<RankedTensorType>(written.getType()).getDimSize(1);
  auto follow = [&](Operation *op) -> Status {
    if (auto scale = dyn_cast<ScaleOp>(op)) {
      factor_ *= scale.getFactor().convertToDouble();
      return Status::success();
    }
    return addNorm(op, width, forward);
  };
  // To the sum with the residual: the network's output may be normed or scaled before.
  for (Operation *op = readerOf(written); isa_and_nonnull<ScaleOp, RmsNormOp, LayerNormOp>(op);
       op = readerOf(op->getResult(0)))
    if (Status status = follow(op); status.failed())
      return status;

  Value last;
  for (BlockOp block : model.getBody().getOps<BlockOp>())
    last = block.getResult(0);
  Operation *op = readerOf(last);
  for (; isa_and_nonnull<ScaleOp, RmsNormOp, LayerNormOp>(op); op = readerOf(op->getResult(0)))
    if (Status status = follow(op); status.failed())
      return status;
  auto head = dyn_cast_or_null<LinearOp>(op);
  for (op = head ? readerOf(head.getResult()) : nullptr; isa_and_nonnull<ScaleOp, SoftcapOp>(op);
       op = readerOf(op->getResult(0)))
    if (auto scale = dyn_cast<ScaleOp>(op))
      factor_ *= scale.getFactor().convertToDouble();
  if (!head || op != model.getBody().front().getTerminator())
    return Status::error("the logits are not a norm and one linear map of what the last block gives");
  head_ = forward.weight(head.getWeight()); // last: another weight may move it
  return head_ ? Status::success() : Status::error("cannot read the weight of the head");
}

VectorD Vocabulary::direction(VectorD x) const {
  for (const Norm &norm : norms_) {
    if (norm.centred)
      x.array() -= x.mean();
    x = x.cwiseProduct(norm.weight);
  }
  return x * factor_;
}

VectorD Vocabulary::scoresOf(const VectorD &x) const {
  VectorD out(head_->rows());
  for (Eigen::Index token = 0; token < out.size(); ++token)
    out[token] = head_->row(token).cast<double>().dot(x);
  return out;
}

} // namespace xfmr::inspect
