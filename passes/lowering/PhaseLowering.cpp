// Which ops share a kernel, and the order in which dispatches come.
#include "passes/lowering/PhaseLowering.h"

using namespace mlir;
using namespace xfmr;

namespace {

Operation *onlyUser(Value value) { return value.hasOneUse() ? *value.user_begin() : nullptr; }

} // namespace

std::optional<codegen::Activation> xfmr::kernelActivation(ActivationKind kind) {
  switch (kind) {
  case ActivationKind::relu: return codegen::Activation::Relu;
  case ActivationKind::gelu: return codegen::Activation::Gelu;
  case ActivationKind::gelu_tanh: return codegen::Activation::GeluTanh;
  case ActivationKind::silu: return codegen::Activation::Silu;
  default: return std::nullopt;
  }
}

// Follows the only use of a product as long as the next op fits the epilogue's fixed order.
ProductChain PhaseLowering::findChain(Operation *head) {
  ProductChain chain;
  chain.head = chain.last = head;
  bool isGlu = isa<GluOp>(head);
  while (Operation *user = onlyUser(chain.last->getResult(0))) {
    if (absorbed.contains(user))
      break;
    if (auto op = dyn_cast<ActivationOp>(user)) {
      if (isGlu || chain.last != head || !kernelActivation(op.getKind()))
        break;
      chain.activation = op.getKind();
    } else if (auto op = dyn_cast<ScaleOp>(user)) {
      if (chain.scale || chain.softcap)
        break;
      chain.scale = op.getFactor().convertToDouble();
    } else if (auto op = dyn_cast<SoftcapOp>(user)) {
      if (chain.softcap)
        break;
      chain.softcap = op.getCap().convertToDouble();
    } else if (auto op = dyn_cast<AddOp>(user)) {
      chain.residual = op.getLhs() == chain.last->getResult(0) ? op.getRhs() : op.getLhs();
      chain.last = user;
      break; // the residual comes last
    } else {
      break;
    }
    chain.last = user;
  }
  return chain;
}

// One row: an rms_norm of a whole row that only products read becomes their prologue.
void PhaseLowering::absorbPrologues() {
  if (build.rows != 1)
    return;
  DenseMap<Operation *, Operation *> lastOfHead;
  for (auto &[last, chain] : chains)
    lastOfHead[chain.head] = last;
  for (auto norm : phase.getBody().getOps<RmsNormOp>()) {
    if (absorbed.contains(norm) || norm.getInput().getDefiningOp<LastRowOp>() ||
        norm.getWeight().getType().getDimSize(0) != norm.getType().getDimSize(1))
      continue;
    bool onlyProducts = llvm::all_of(norm->getUses(), [&](OpOperand &use) {
      return lastOfHead.count(use.getOwner()) && use.getOperandNumber() == 0;
    });
    if (!onlyProducts || norm->use_empty())
      continue;
    for (Operation *user : norm->getUsers())
      chains[lastOfHead[user]].prologue = norm;
    absorbed.insert(norm);
  }
}

void PhaseLowering::analyze() {
  for (Operation &op : phase.getBody().front())
    if (auto attention = dyn_cast<CachedAttentionOp>(op))
      analyzeAttention(attention);
  for (Operation &op : phase.getBody().front())
    if (auto moe = dyn_cast<MoeOp>(op))
      analyzeMoe(moe);
  for (Operation &op : phase.getBody().front()) {
    if (!isa<LinearOp, GluOp>(op))
      continue;
    ProductChain chain = findChain(&op);
    for (Operation *link = &op; link != chain.last; link = onlyUser(link->getResult(0)))
      absorbed.insert(link);
    // The last op stands for the chain; an add it took may not start in another chain.
    if (chain.last != &op)
      absorbed.insert(chain.last);
    chains[chain.last] = chain;
  }
  absorbPrologues();
}

LogicalResult PhaseLowering::run(const DenseMap<Operation *, int64_t> &layerOf) {
  analyze();
  for (Operation &op : phase.getBody().front()) {
    auto found = layerOf.find(&op);
    layer = found == layerOf.end() ? -1 : found->second;
    build.setScope(layer < 0 ? "" : "block " + std::to_string(layer) + " ");
    build.loc = op.getLoc();
    if (auto chain = chains.find(&op); chain != chains.end()) {
      if (failed(lowerProduct(chain->second)))
        return failure();
    } else if (auto moe = moes.find(&op); moe != moes.end()) {
      if (failed(lowerMoe(moe->second, moeOf.lookup(&op))))
        return failure();
    } else if (!absorbed.contains(&op) && failed(lower(&op))) {
      return failure();
    }
  }
  return success();
}

LogicalResult PhaseLowering::lower(Operation *op) {
  if (isa<WeightExpressionOpInterface, PositionOp>(op))
    return success();
  if (auto embedding = dyn_cast<EmbeddingOp>(op))
    return lowerEmbedding(embedding);
  if (auto norm = dyn_cast<RmsNormOp>(op))
    return lowerNorm(op, norm.getInput(), norm.getWeight(), Value(), norm.getEps().convertToDouble(),
                     norm.getUnitOffset());
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return lowerNorm(op, norm.getInput(), norm.getWeight(), norm.getBias(), norm.getEps().convertToDouble(),
                     false);
  if (auto attention = dyn_cast<CachedAttentionOp>(op))
    return lowerAttention(attention);
  if (isa<AddOp, MulOp, ScaleOp, SoftcapOp, ActivationOp>(op))
    return lowerElementwise(op);
  if (auto split = dyn_cast<SplitOp>(op))
    return lowerSplit(split);
  if (auto row = dyn_cast<LastRowOp>(op)) {
    Operation *user = onlyUser(row.getResult());
    if (user && isa<RmsNormOp, LayerNormOp>(user))
      return success(); // the norm reads the last row itself
    return op->emitError("the head must begin with a norm");
  }
  if (isa<SampleOp>(op))
    return lowerSample();
  if (auto yield = dyn_cast<YieldOp>(op))
    return success();
  if (isa<RopeOp>(op))
    return op->emitError("a rotary embedding must feed the query or key of one attention");
  return op->emitError("has no Vulkan lowering");
}
