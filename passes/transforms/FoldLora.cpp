// xfmr-fold-lora: x W^T + s (x A^T) B^T becomes x (W + s B A)^T; likewise for embeddings. The branch is what import
// makes of an adapter (import/ModelBuilder.h).
#include "passes/Passes.h"
#include "passes/analysis/LayerNote.h"
#include "weights/Expressions.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRFOLDLORA
#include "passes/Passes.h.inc"

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

// s (narrow B^T + c), where narrow [T, r] is x A^T, or rows of a table [V, r].
struct Branch {
  ScaleOp scale; // null where s is 1
  LinearOp up;   // B [N, r]; null where the value is no branch
  Operation *narrow = nullptr; // LinearOp or EmbeddingOp

  double factor() { return scale ? scale.getFactor().convertToDouble() : 1.0; }
};

Branch matchBranch(Value value) {
  Branch branch;
  branch.scale = value.getDefiningOp<ScaleOp>();
  Value unscaled = branch.scale ? branch.scale.getInput() : value;
  auto up = unscaled.getDefiningOp<LinearOp>();
  if (!up || !isa_and_present<LinearOp, EmbeddingOp>(up.getInput().getDefiningOp()))
    return {};
  branch.up = up;
  branch.narrow = up.getInput().getDefiningOp();
  return branch;
}

// Why a branch cannot be folded into `base`, of the same kind as its narrow op; empty when it can.
std::string refusal(Operation *base, Branch &branch) {
  if (base->getOperand(0) != branch.narrow->getOperand(0))
    return "the branch reads another value";
  if (!base->hasOneUse())
    return "the adapted result has other uses";
  if ((branch.scale && !branch.scale->hasOneUse()) || !branch.up->hasOneUse() ||
      !branch.narrow->hasOneUse())
    return "the branch has other uses";
  if (auto narrow = dyn_cast<LinearOp>(branch.narrow); narrow && narrow.getBias())
    return "the down projection of the branch has a bias";
  if (auto narrow = dyn_cast<EmbeddingOp>(branch.narrow))
    if (narrow.getPositions())
      return "the branch adds positions";
  return {};
}

// base + factor * b * a, of the type of base; f32 where base is quantised.
Value addLowrank(IRRewriter &rewriter, Location loc, Value base, Value b, Value a, double factor) {
  base = numbersOf(rewriter, loc, base);
  return WeightAddLowrankOp::create(rewriter, loc, base.getType(), base, b, a,
                                    rewriter.getF64FloatAttr(factor));
}

// b + factor * c, where either may be missing.
Value foldBias(IRRewriter &rewriter, Value b, Value c, double factor) {
  if (!c)
    return b;
  Location loc = c.getLoc();
  if (factor != 1.0)
    c = WeightScaleOp::create(rewriter, loc, c.getType(), c, rewriter.getF64FloatAttr(factor));
  if (!b)
    return c;
  if (c.getType() != b.getType())
    c = WeightCastOp::create(rewriter, loc, b.getType(), c);
  return WeightAddOp::create(rewriter, loc, b.getType(), b, c);
}

Value transpose(IRRewriter &rewriter, Value weight) {
  RankedTensorType type = typeOf(weight);
  return WeightTransposeOp::create(
      rewriter, weight.getLoc(),
      RankedTensorType::get({type.getDimSize(1), type.getDimSize(0)}, type.getElementType()), weight);
}

struct FoldLora : impl::XfmrFoldLoraBase<FoldLora> {
  using Base::Base;
  void runOnOperation() override {
    SmallVector<AddOp> sums; // in program order: of several adapters the innermost folds first
    getOperation().walk([&](AddOp sum) {
      if (!expertsOnly || sum->getParentOfType<MoeOp>())
        sums.push_back(sum);
    });
    IRRewriter rewriter(&getContext());
    Sums counts;
    for (AddOp sum : sums)
      fold(rewriter, sum, counts);
    if (counts.rounded)
      getOperation().emitRemark("folded ")
          << counts.rounded << " adapters into 16-bit weights: each sum is rounded once to the weight's type, by at "
          << "most 2^-12 (f16) or 2^-9 (bf16) of its value";
    if (counts.expanded)
      getOperation().emitRemark("folded ")
          << counts.expanded << " adapters into quantised weights, which are f32 from here on; xfmr-quantize rounds them again";
  }

  struct Sums {
    int64_t rounded = 0, expanded = 0; // of weights of 16 bits, of quantised ones
  };

  // Folds the branch among the two terms of `sum` into the other, when they are such a pair.
  void fold(IRRewriter &rewriter, AddOp sum, Sums &counts) {
    for (auto [baseValue, branchValue] : {std::pair<Value, Value>{sum.getLhs(), sum.getRhs()},
                                          std::pair<Value, Value>{sum.getRhs(), sum.getLhs()}}) {
      Branch branch = matchBranch(branchValue);
      Operation *base = baseValue.getDefiningOp();
      if (!branch.up || !base || base->getName() != branch.narrow->getName())
        continue;
      if (std::string reason = refusal(base, branch); !reason.empty()) {
        sum.emitRemark("adapter not folded: ") << reason << layerNote(sum);
        ++skipped;
        return;
      }
      const Type element = typeOf(base->getOperand(1)).getElementType();
      counts.expanded += isa<QuantType>(element);
      counts.rounded += !isa<QuantType, Float32Type>(element);
      rewriter.setInsertionPoint(sum);
      if (auto linear = dyn_cast<LinearOp>(base))
        replaceLinear(rewriter, sum, linear, branch);
      else
        replaceEmbedding(rewriter, sum, cast<EmbeddingOp>(base), branch);
      for (Operation *dead : {base, branch.scale.getOperation(), branch.up.getOperation(), branch.narrow})
        if (dead)
          rewriter.eraseOp(dead);
      ++folded;
      return;
    }
  }

  void replaceLinear(IRRewriter &rewriter, AddOp sum, LinearOp base, Branch &branch) {
    Value weight = addLowrank(rewriter, sum.getLoc(), base.getWeight(), branch.up.getWeight(),
                              cast<LinearOp>(branch.narrow).getWeight(), branch.factor());
    Value bias = foldBias(rewriter, base.getBias(), branch.up.getBias(), branch.factor());
    rewriter.replaceOpWithNewOp<LinearOp>(sum, sum.getType(), base.getInput(), weight, bias);
  }

  // table [V, D] + s * rows [V, r] * B^T [r, D]
  void replaceEmbedding(IRRewriter &rewriter, AddOp sum, EmbeddingOp base, Branch &branch) {
    Value table = addLowrank(rewriter, sum.getLoc(), base.getTable(),
                             cast<EmbeddingOp>(branch.narrow).getTable(),
                             transpose(rewriter, branch.up.getWeight()), branch.factor());
    rewriter.replaceOpWithNewOp<EmbeddingOp>(sum, sum.getType(), base.getTokens(), table,
                                             base.getPositions(), base.getPosition());
  }
};

} // namespace
} // namespace xfmr
