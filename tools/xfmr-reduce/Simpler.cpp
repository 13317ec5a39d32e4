// See Simpler.h.
#include "tools/xfmr-reduce/Simpler.h"
#include "dialect/Xfmr.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace xfmr {
namespace {

/// Of op number `index` from the end; false where there is nothing simpler.
bool simplifyOp(ModuleOp module, size_t index) {
  SmallVector<Operation *> ops;
  module->walk([&](Operation *op) { ops.push_back(op); });
  Operation *op = ops[ops.size() - 1 - index];
  if (op == module || op->hasTrait<OpTrait::IsTerminator>())
    return false;
  if (op->use_empty())
    return op->erase(), true;
  if (op->getNumResults() != 1 || !isa_and_nonnull<XfmrDialect>(op->getDialect()))
    return false;
  for (Value operand : op->getOperands())
    if (operand.getType() == op->getResult(0).getType()) {
      op->getResult(0).replaceAllUsesWith(operand);
      op->erase();
      return true;
    }
  return false;
}

void eraseDeadWeights(ModuleOp module) {
  SmallVector<Operation *> ops;
  module->walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : llvm::reverse(ops))
    if (isa<WeightExpressionOpInterface>(op) && op->use_empty())
      op->erase();
}

size_t countOps(ModuleOp module) {
  size_t count = 0;
  module->walk([&](Operation *) { ++count; });
  return count;
}

} // namespace

void simplify(OwningOpRef<ModuleOp> &module, const Tester &tester) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t index = 0; index < countOps(*module);) {
      OwningOpRef<ModuleOp> simpler = module->clone();
      if (simplifyOp(*simpler, index)) {
        eraseDeadWeights(*simpler);
        if (succeeded(verify(*simpler)) && tester.isInteresting(*simpler).first == Tester::Interestingness::True) {
          module = std::move(simpler); // the same number is another op now
          changed = true;
          continue;
        }
      }
      ++index;
    }
  }
}

} // namespace xfmr
