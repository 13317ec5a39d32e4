// Values on demand, and weights; what each op computes is in ForwardOps.cpp.
#include "passes/calibration/ForwardOps.h"

#include "weights/WeightEvaluator.h"

using namespace mlir;

namespace xfmr {
const MatrixF *Forward::weight(Value expression, int64_t expert) {
  auto region = dyn_cast_or_null<MoeOp>(expression.getParentRegion() ? expression.getParentRegion()->getParentOp()
                                                                     : nullptr);
  const std::pair<Value, int64_t> key(expression, region ? expert : -1);
  if (auto found = kept_.find(key); found != kept_.end())
    return &found->second;
  if (auto found = weights_.find(key); found != weights_.end())
    return &found->second;
  // One expert's part of a weight over all experts that was provided.
  if (region)
    if (Value stacked = region.getStacked(expression))
      if (auto whole = weights_.find({stacked, -1}); whole != weights_.end()) {
        const int64_t rows = whole->second.rows() / region.getNumExperts();
        if (cast<RankedTensorType>(expression.getType()).getRank() > 1)
          return &(weights_[key] = MatrixF(whole->second.middleRows(expert * rows, rows)));
        return &(weights_[key] = MatrixF(whole->second.row(expert).transpose()));
      }
  WeightEvaluator::Bindings bindings;
  if (region)
    for (unsigned i = 0; i < region.getExperts().size(); ++i)
      bindings.insert({region.getSlice(i), {region.getExperts()[i], expert}});
  MatrixF value(weightRows(expression.getType()), weightColumns(expression.getType()));
  if (failed(WeightEvaluator(sources_, std::move(bindings)).evaluateRows(expression, 0, value.rows(), value.data())))
    return nullptr;
  return &(weights_[key] = std::move(value));
}

LogicalResult Forward::evaluate(Value wanted, int64_t window, Activations &known) {
  return need(wanted, window, known, /*expert=*/-1);
}

LogicalResult Forward::need(Value value, int64_t window, Activations &known, int64_t expert) {
  if (known.count(value))
    return success();
  assert(value.getDefiningOp() && "arguments of regions are known before");
  return compute(value.getDefiningOp(), window, known, expert);
}

LogicalResult Forward::compute(Operation *op, int64_t window, Activations &known, int64_t expert) {
  ForwardFunction compute = forwardOf(op->getName().getStringRef());
  if (!compute || llvm::any_of(op->getOperandTypes(), [](Type type) { return !isa<RankedTensorType>(type); }))
    return op->emitError("calibration does not know this op");
  ForwardCall call(*this, known, window, expert);
  return compute(op, call);
}

LogicalResult Forward::evaluateExpert(MoeOp mixture, int64_t expert, Value wanted, MatrixF x, MatrixF &out) {
  Activations inner;
  const int64_t rows = x.rows();
  inner[mixture.getTokenBatch()] = std::move(x);
  if (failed(need(wanted, rows, inner, expert)))
    return failure();
  out = std::move(inner.find(wanted)->second);
  return success();
}

} // namespace xfmr
