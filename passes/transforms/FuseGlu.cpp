// xfmr-fuse-glu: act(linear gate) * (linear up) becomes one xfmr.glu over the stacked weights. Exact.
#include "passes/Passes.h"
#include "dialect/Structure.h"
#include "passes/analysis/LayerNote.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRFUSEGLU
#include "passes/Passes.h.inc"

namespace {

std::string nameOf(Value value) {
  Operation *op = value.getDefiningOp();
  return op ? ("'" + op->getName().getStringRef() + "'").str() : std::string("a block argument");
}

// Why act(x Wg^T + bg) * (x Wu^T + bu) does not fuse; empty when it does.
std::string refusal(HiddenLayer &layer) {
  auto gate = layer.gate.getDefiningOp<LinearOp>(), up = layer.up.getDefiningOp<LinearOp>();
  if (!gate)
    return "the gate is " + nameOf(layer.gate) + ", not xfmr.linear";
  if (!up)
    return "the up operand is " + nameOf(layer.up) + ", not xfmr.linear";
  if (gate.getInput() != up.getInput())
    return "gate and up read different values";
  if (!layer.activation->hasOneUse() || !gate->hasOneUse() || !up->hasOneUse())
    return "gate, activation or up has other uses";
  if (gate.getWeight().getType() != up.getWeight().getType())
    return "gate and up weights differ in element type";
  if (!gate.getBias() != !up.getBias())
    return std::string("only the ") + (gate.getBias() ? "gate" : "up") + " has a bias";
  if (gate.getBias() && gate.getBias().getType() != up.getBias().getType())
    return "gate and up biases differ in element type";
  return {};
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
    std::optional<HiddenLayer> layer = hiddenLayerOf(product.getResult());
    if (!layer)
      return; // an ordinary product
    if (std::string reason = refusal(*layer); !reason.empty()) {
      product.emitRemark("not fused into xfmr.glu: ") << reason << layerNote(product);
      ++skipped;
      return;
    }
    rewriter.setInsertionPoint(product);
    Location loc = product.getLoc();
    auto gate = layer->gate.getDefiningOp<LinearOp>(), up = layer->up.getDefiningOp<LinearOp>();
    Value weight = stackRows(rewriter, loc, gate.getWeight(), up.getWeight());
    Value bias = gate.getBias() ? stackRows(rewriter, loc, gate.getBias(), up.getBias()) : Value();
    rewriter.replaceOpWithNewOp<GluOp>(product, product.getType(), gate.getInput(), weight, bias, layer->kind,
                                       GluLayout::concat, /*alpha=*/FloatAttr(), /*limit=*/FloatAttr());
    rewriter.eraseOp(layer->activation);
    rewriter.eraseOp(gate);
    rewriter.eraseOp(up);
    ++fused;
  }
};

} // namespace
} // namespace xfmr
