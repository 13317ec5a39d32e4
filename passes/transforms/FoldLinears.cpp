// xfmr-fold-linears: (x A^T) B^T becomes x (B A)^T where that costs fewer operations.
#include "passes/Passes.h"
#include "passes/analysis/LayerNote.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRFOLDLINEARS
#include "passes/Passes.h.inc"

namespace {

int64_t widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

// Whether a sum has a linear of `input` among its terms.
bool addsLinearOf(Value sum, Value input) {
  if (auto add = sum.getDefiningOp<AddOp>())
    return addsLinearOf(add.getLhs(), input) || addsLinearOf(add.getRhs(), input);
  auto linear = sum.getDefiningOp<LinearOp>();
  return linear && linear.getInput() == input;
}

// W x + s B (A x): the branch is an adapter of W, whatever its rank.
bool isAdapterBranch(LinearOp inner, LinearOp outer) {
  Value branch = outer.getResult();
  if (branch.hasOneUse())
    if (auto scale = dyn_cast<ScaleOp>(*branch.user_begin()))
      branch = scale.getResult();
  return llvm::any_of(branch.getUsers(), [&](Operation *user) {
    auto add = dyn_cast<AddOp>(user);
    return add && addsLinearOf(add.getLhs() == branch ? add.getRhs() : add.getLhs(), inner.getInput());
  });
}

// Why the pair stays as it is; empty when it folds.
std::string refusal(LinearOp inner, LinearOp outer) {
  int64_t in = widthOf(inner.getInput()), middle = widthOf(inner.getResult());
  int64_t out = widthOf(outer.getResult());
  if (isAdapterBranch(inner, outer))
    return "a low-rank adapter, which xfmr-fold-lora folds into its weight";
  if (out * in >= middle * (in + out))
    return "the product costs " + std::to_string(out * in) +
           " multiplications a token, the two linears " + std::to_string(middle * (in + out));
  if (!inner->hasOneUse())
    return "the inner linear has other uses";
  if (inner.getBias())
    return "the inner linear has a bias";
  return {};
}

// The weight in f32, so that the product is not rounded to 16 bits.
Value inF32(IRRewriter &rewriter, Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  if (type.getElementType().isF32())
    return weight;
  return WeightCastOp::create(rewriter, weight.getLoc(),
                              RankedTensorType::get(type.getShape(), rewriter.getF32Type()), weight);
}

struct FoldLinears : impl::XfmrFoldLinearsBase<FoldLinears> {
  void runOnOperation() override {
    SmallVector<LinearOp> linears; // in program order, so that chains fold from the front
    getOperation().walk([&](LinearOp linear) { linears.push_back(linear); });
    IRRewriter rewriter(&getContext());
    for (LinearOp outer : linears)
      if (auto inner = outer.getInput().getDefiningOp<LinearOp>())
        fold(rewriter, inner, outer);
  }

  void fold(IRRewriter &rewriter, LinearOp inner, LinearOp outer) {
    if (std::string reason = refusal(inner, outer); !reason.empty()) {
      outer.emitRemark("linears not folded: ") << reason << layerNote(outer);
      ++skipped;
      return;
    }
    rewriter.setInsertionPoint(outer);
    Value b = inF32(rewriter, outer.getWeight()); // [O, M]
    Value a = inF32(rewriter, inner.getWeight()); // [M, I]
    auto type = RankedTensorType::get({widthOf(outer.getResult()), widthOf(inner.getInput())},
                                      rewriter.getF32Type());
    Value product = WeightProductOp::create(rewriter, outer.getLoc(), type, b, a);
    rewriter.replaceOpWithNewOp<LinearOp>(outer, outer.getType(), inner.getInput(), product,
                                          outer.getBias());
    rewriter.eraseOp(inner);
    ++folded;
  }
};

} // namespace
} // namespace xfmr
