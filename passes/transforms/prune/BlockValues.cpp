// See BlockValues.h.
#include "passes/transforms/prune/BlockValues.h"

using namespace mlir;

namespace xfmr {
namespace {

// The residual that enters the block around a value.
BlockArgument argumentOf(Value value) {
  Operation *op = value.getParentRegion()->getParentOp();
  auto block = dyn_cast<BlockOp>(op);
  return (block ? block : op->getParentOfType<BlockOp>()).getBody().getArgument(0);
}

} // namespace

LogicalResult BlockValues::find(Forward &forward, int64_t window, Value wanted, const MatrixF *&out) {
  BlockArgument argument = argumentOf(wanted);
  if (known_.empty())
    known_[argument] = std::move(entering_);
  if (failed(forward.evaluate(wanted, window, known_)))
    return failure();
  dropDone(*argument.getOwner(), wanted);
  out = &known_.find(wanted)->second;
  return success();
}

// From the end on: a value is done when the results of all its users are known or done. The argument stays, so that what
// was dropped can be computed again.
void BlockValues::dropDone(Block &block, Value wanted) {
  llvm::DenseSet<Value> there; // known or done
  for (Operation &op : llvm::reverse(block))
    for (Value result : op.getResults()) {
      const bool done = !result.use_empty() && llvm::all_of(result.getUsers(), [&](Operation *user) {
        Operation *own = block.findAncestorOpInBlock(*user);
        return own->getNumResults() && llvm::all_of(own->getResults(), [&](Value v) { return there.contains(v); });
      });
      if (done || known_.count(result))
        there.insert(result);
      if (done && result != wanted)
        known_.erase(result);
    }
}

void BlockValues::keepOnlyBefore(Value input) {
  if (known_.empty())
    return;
  llvm::DenseSet<Value> kept;
  SmallVector<Value> open;
  for (auto &[value, matrix] : known_)
    if (isa<BlockArgument>(value))
      kept.insert(value);
  if (input)
    open.push_back(input);
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (kept.insert(value).second)
      if (Operation *op = value.getDefiningOp())
        open.append(op->operand_begin(), op->operand_end());
  }
  Activations rest;
  for (auto &[value, matrix] : known_)
    if (kept.contains(value))
      rest[value] = std::move(matrix);
  known_ = std::move(rest);
}

} // namespace xfmr
