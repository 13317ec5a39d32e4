// xfmr-fuse-glu: act(linear gate) * (linear up) becomes one xfmr.glu over the stacked weights. Exact.
#include "passes/Passes.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRFUSEGLU
#include "passes/Passes.h.inc"

namespace {

// The parts of act(x Wg^T + bg) * (x Wu^T + bu), or why they cannot be fused.
struct GatedPair {
  ActivationOp activation; // [T, F]
  LinearOp gate, up;       // [T, F]
  std::string refusal;     // empty when they fuse
};

GatedPair refuse(const Twine &reason) {
  GatedPair pair;
  pair.refusal = reason.str();
  return pair;
}

std::string nameOf(Value value) {
  Operation *op = value.getDefiningOp();
  return op ? ("'" + op->getName().getStringRef() + "'").str() : std::string("a block argument");
}

// `activated` is the operand of the product that an activation defines, `other` the second one.
GatedPair matchPair(Value activated, Value other) {
  auto activation = activated.getDefiningOp<ActivationOp>();
  auto gate = activation.getInput().getDefiningOp<LinearOp>();
  auto up = other.getDefiningOp<LinearOp>();
  if (!gate)
    return refuse("the gate is " + nameOf(activation.getInput()) + ", not xfmr.linear");
  if (!up)
    return refuse("the up operand is " + nameOf(other) + ", not xfmr.linear");
  if (gate.getInput() != up.getInput())
    return refuse("gate and up read different values");
  if (!activation->hasOneUse() || !gate->hasOneUse() || !up->hasOneUse())
    return refuse("gate, activation or up has other uses");
  Type gateType = gate.getWeight().getType(), upType = up.getWeight().getType();
  if (gateType != upType)
    return refuse("gate and up weights differ in element type");
  if (!gate.getBias() != !up.getBias())
    return refuse(Twine("only the ") + (gate.getBias() ? "gate" : "up") + " has a bias");
  if (gate.getBias() && gate.getBias().getType() != up.getBias().getType())
    return refuse("gate and up biases differ in element type");
  return {activation, gate, up, {}};
}

// `first` above `second`: [2n, ...].
Value stackRows(IRRewriter &rewriter, Location loc, Value first, Value second) {
  auto type = cast<RankedTensorType>(first.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[0] *= 2;
  return WeightConcatOp::create(rewriter, loc, type.clone(shape), ValueRange{first, second},
                                /*axis=*/0);
}

struct FuseGlu : impl::XfmrFuseGluBase<FuseGlu> {
  void runOnOperation() override {
    SmallVector<MulOp> products;
    getOperation().walk([&](MulOp product) { products.push_back(product); });
    IRRewriter rewriter(&getContext());
    for (MulOp product : products)
      fuse(rewriter, product);
  }

  void fuse(IRRewriter &rewriter, MulOp product) {
    Value activated = product.getLhs(), other = product.getRhs();
    if (!activated.getDefiningOp<ActivationOp>() || other.getDefiningOp<ActivationOp>())
      std::swap(activated, other);
    if (!activated.getDefiningOp<ActivationOp>() || other.getDefiningOp<ActivationOp>())
      return; // an ordinary product
    GatedPair pair = matchPair(activated, other);
    if (!pair.refusal.empty()) {
      product.emitRemark("not fused into xfmr.glu: ") << pair.refusal;
      ++skipped;
      return;
    }
    rewriter.setInsertionPoint(product);
    Location loc = product.getLoc();
    Value weight = stackRows(rewriter, loc, pair.gate.getWeight(), pair.up.getWeight());
    Value bias;
    if (pair.gate.getBias())
      bias = stackRows(rewriter, loc, pair.gate.getBias(), pair.up.getBias());
    rewriter.replaceOpWithNewOp<GluOp>(product, product.getType(), pair.gate.getInput(), weight, bias,
                                       pair.activation.getKind(), GluLayout::concat,
                                       /*alpha=*/FloatAttr(), /*limit=*/FloatAttr());
    rewriter.eraseOp(pair.activation);
    rewriter.eraseOp(pair.gate);
    rewriter.eraseOp(pair.up);
    ++fused;
  }
};

} // namespace
} // namespace xfmr
