// See Branches.h.
#include "tools/xfmr-inspect/look/Branches.h"

#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace xfmr::inspect {
namespace {

bool keepsInput(Value sum);

// The terms of a sum of sums and multiples.
void collect(Value value, double factor, Branches &out) {
  if (auto add = value.getDefiningOp<AddOp>()) {
    collect(add.getLhs(), factor, out);
    collect(add.getRhs(), factor, out);
  } else if (auto scale = value.getDefiningOp<ScaleOp>()) {
    collect(scale.getInput(), factor * scale.getFactor().convertToDouble(), out);
  } else if (isa<BlockArgument>(value)) {
    out.kept += factor;
  } else if (isa_and_nonnull<RmsNormOp, LayerNormOp>(value.getDefiningOp()) && keepsInput(value.getDefiningOp()->getOperand(0))) {
    out.normed = true;
    collect(value.getDefiningOp()->getOperand(0), factor, out);
  } else {
    out.terms.push_back({value, factor, false});
  }
}

bool keepsInput(Value sum) {
  Branches terms;
  collect(sum, 1, terms);
  return terms.kept != 0;
}

// Whether an attention lies behind `value` before the residual stream is met.
bool attends(Value value, llvm::SmallPtrSetImpl<Operation *> &seen) {
  Operation *op = value.getDefiningOp();
  if (!op || !seen.insert(op).second || (isa<AddOp>(op) && keepsInput(value)))
    return false;
  if (isa<AttentionOp>(op))
    return true;
  return llvm::any_of(op->getOperands(), [&](Value operand) { return attends(operand, seen); });
}

} // namespace

Branches branchesOf(BlockOp block) {
  Branches out;
  auto yield = cast<YieldOp>(block.getBody().front().getTerminator());
  if (block.getInputs().size() != 1 || yield.getNumOperands() != 1) {
    out.refusal = "it has several inputs or results";
    return out;
  }
  collect(yield.getOperand(0), 1, out);
  if (out.kept == 0 || out.normed)
    out.refusal = "what it gives is no sum with what came in";
  for (Branch &term : out.terms) {
    llvm::SmallPtrSet<Operation *, 32> seen;
    term.attends = attends(term.value, seen);
  }
  return out;
}

Operation *sourceOf(Value term, SmallVectorImpl<Operation *> &between) {
  Operation *op = term.getDefiningOp();
  for (; isa_and_nonnull<ScaleOp, RmsNormOp, LayerNormOp>(op); op = op->getOperand(0).getDefiningOp())
    between.push_back(op);
  return op;
}

LinearOp projectionOf(Value term, SmallVectorImpl<Operation *> &between) {
  return dyn_cast_or_null<LinearOp>(sourceOf(term, between));
}

} // namespace xfmr::inspect
