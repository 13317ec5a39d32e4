// Which ops around a mixture become part of its kernels: the norm before the router, shared experts, the residual.
#include "passes/lowering/PhaseLowering.h"

using namespace mlir;
using namespace xfmr;

static Operation *onlyUser(Value value) { return value.hasOneUse() ? *value.user_begin() : nullptr; }

// Decides what joins the routed sum (a gated or plain shared expert, the residual) and whether the router
// takes the norm before it.
void PhaseLowering::analyzeMoe(MoeOp op) {
  MoeChain chain;
  chain.last = op;
  while (auto add = dyn_cast_if_present<AddOp>(onlyUser(chain.last->getResult(0)))) {
    if (chain.residual || absorbed.contains(add))
      break;
    Value other = add.getLhs() == chain.last->getResult(0) ? add.getRhs() : add.getLhs();
    auto gated = other.getDefiningOp<RowScaleOp>();
    auto sigmoid = gated ? gated.getFactor().getDefiningOp<ActivationOp>() : ActivationOp();
    if (sigmoid && sigmoid.getKind() == ActivationKind::sigmoid && sigmoid->hasOneUse() &&
        gated->hasOneUse() && !chain.shared) {
      chain.shared = gated.getInput();
      chain.gate = sigmoid.getInput();
      absorbed.insert(gated);
      absorbed.insert(sigmoid);
    } else if (!chain.shared && isa_and_present<AddOp>(onlyUser(add.getResult()))) {
      chain.shared = other; // another add follows: that one is the residual
    } else {
      chain.residual = other;
    }
    absorbed.insert(add);
    chain.last = add;
  }
  if (chain.last != op)
    absorbed.insert(op);
  auto norm = op.getInput().getDefiningOp<RmsNormOp>();
  if (build.rows == 1 && norm && !absorbed.contains(norm) && !norm.getInput().getDefiningOp<LastRowOp>() &&
      norm.getWeight().getType().getDimSize(0) == norm.getType().getDimSize(1) &&
      llvm::all_of(norm->getUsers(), [&](Operation *user) {
        // Others read what the router writes, so they must come after the routed experts.
        return user == op || chain.last->isBeforeInBlock(user);
      })) {
    chain.prologue = norm;
    absorbed.insert(norm);
  }
  moes[chain.last] = chain;
  moeOf[chain.last] = op;
}
