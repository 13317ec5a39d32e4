// Verifiers and canonicalisation of moe and its routing attribute. Constraint numbers are those of Moe.td.
#include "dialect/Xfmr.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include <cmath>

using namespace mlir;
using namespace xfmr;

namespace {
RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
bool isPositive(const APFloat &value) { return value.isFinite() && value.convertToDouble() > 0; }
} // namespace

// ----------------------------------------------------------------------------------------------- routing

LogicalResult RoutingAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t topK,
                                  ScoreFunction score, ScoreAt scoreAt, bool normTopkProb, APFloat normEps,
                                  APFloat scale, int64_t nGroup, int64_t topkGroup, GroupScore,
                                  Overflow overflow, int64_t capacity, APFloat capacityFactor,
                                  APFloat sparsemixerEps, bool) {
  if (topK < 1) // R1
    return emitError() << "top_k must be at least 1, got " << topK;
  if (nGroup < 1 || topkGroup < 1 || topkGroup > nGroup) // R1
    return emitError() << "topk_group must lie between 1 and n_group, got topk_group " << topkGroup
                       << " of n_group " << nGroup;
  if (!normEps.isZero() && (!normTopkProb || !isPositive(normEps))) // R2
    return emitError() << "norm_eps must not be negative and needs norm_topk_prob, got "
                       << normEps.convertToDouble();
  int given = (capacity != 0) + !capacityFactor.isZero();
  if (overflow == Overflow::none && given) // R3
    return emitError() << "a capacity has no effect without overflow = drop";
  if (overflow == Overflow::drop && (given != 1 || capacity < 0 || capacityFactor.isNegative())) // R3
    return emitError() << "overflow = drop needs one of capacity and capacity_factor, positive; got capacity "
                       << capacity << " and capacity_factor " << capacityFactor.convertToDouble();
  bool mixer = score == ScoreFunction::sparsemixer;
  if (mixer && (topK != 2 || !isPositive(sparsemixerEps) || scoreAt != ScoreAt::pre_topk || nGroup != 1 ||
                normTopkProb)) // R4
    return emitError() << "sparsemixer needs top_k = 2, a positive sparsemixer_eps, score_at = pre_topk, "
                          "one group and no norm_topk_prob";
  if (!mixer && !sparsemixerEps.isZero()) // R4
    return emitError() << "sparsemixer_eps is only for score = sparsemixer";
  if (!scale.isFinite())
    return emitError() << "scale must be finite";
  return success();
}

int64_t RoutingAttr::getCapacityFor(int64_t tokens, int64_t experts) const {
  if (getOverflow() == Overflow::none)
    return tokens * getTopK();
  if (getCapacity())
    return getCapacity();
  return static_cast<int64_t>(
      std::ceil(getCapacityFactor().convertToDouble() * tokens * getTopK() / experts * (1 - 1e-6)));
}

RoutingAttr RoutingAttr::withTopK(int64_t topK) const {
  return get(getContext(), topK, getScore(), getScoreAt(), getNormTopkProb(), getNormEps(), getScale(),
             getNGroup(), getTopkGroup(), getGroupScore(), getOverflow(), getCapacity(), getCapacityFactor(),
             getSparsemixerEps(), getWeightOnInput());
}

// --------------------------------------------------------------------------------------------------- moe

int64_t MoeOp::getNumExperts() { return typeOf(getRouter()).getDimSize(0); }

Value MoeOp::getStacked(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != &getExpert().front() || argument.getArgNumber() == 0)
    return Value();
  return getExperts()[argument.getArgNumber() - 1];
}

BlockArgument MoeOp::addStacked(Value stacked) {
  getExpertsMutable().append(stacked);
  auto type = typeOf(stacked);
  return getExpert().addArgument(
      RankedTensorType::get(type.getShape().drop_front(), type.getElementType()), stacked.getLoc());
}

LogicalResult MoeOp::verify() {
  int64_t experts = getNumExperts(), width = typeOf(getInput()).getDimSize(1);
  if (typeOf(getRouter()).getDimSize(1) != width) // C1
    return emitOpError("router must be [experts, ") << width << "], as wide as the input, got "
                                                    << getRouter().getType();
  auto verifyBias = [&](StringRef what, Value bias) -> LogicalResult { // C2
    if (!bias || typeOf(bias).getDimSize(0) == experts)
      return success();
    return emitOpError() << what << " must have " << experts << " entries, one an expert, got "
                         << bias.getType();
  };
  if (failed(verifyBias("router bias", getRouterBias())) ||
      failed(verifyBias("selection bias", getSelectionBias())))
    return failure();
  if (getExperts().empty()) // C3
    return emitOpError("needs at least one stacked expert weight");
  for (Value stacked : getExperts())
    if (typeOf(stacked).getRank() < 2 || typeOf(stacked).getDimSize(0) != experts) // C3
      return emitOpError("stacked weight must be [")
             << experts << ", ...], one slice for each of the router's experts, got " << stacked.getType();
  RoutingAttr routing = getRouting();
  int64_t topK = routing.getTopK(), groups = routing.getNGroup();
  if (topK > experts) // C6
    return emitOpError("top_k ") << topK << " is larger than the number of experts " << experts;
  if (experts % groups) // C6
    return emitOpError() << experts << " experts cannot form " << groups << " equal groups";
  int64_t kept = experts / groups * routing.getTopkGroup();
  if (topK > kept) // C6
    return emitOpError("top_k ") << topK << " is larger than the " << kept << " experts of "
                                 << routing.getTopkGroup() << " kept groups";
  if (groups > 1 && routing.getGroupScore() == GroupScore::sum_top2 && experts / groups < 2) // C7
    return emitOpError("sum_top2 needs groups of two or more experts");
  if (routing.getScore() == ScoreFunction::sparsemixer && getSelectionBias()) // C8
    return emitOpError("sparsemixer takes no selection bias");
  return success();
}

LogicalResult MoeOp::verifyRegions() {
  Block &body = getExpert().front();
  auto input = typeOf(getInput());
  auto batch = RankedTensorType::get({ShapedType::kDynamic, input.getDimSize(1)}, input.getElementType());
  SmallVector<Type> expected{batch};
  for (Value stacked : getExperts())
    expected.push_back(
        RankedTensorType::get(typeOf(stacked).getShape().drop_front(), typeOf(stacked).getElementType()));
  if (body.getArgumentTypes() != TypeRange(expected)) // C4
    return emitOpError("expert region must take a token batch and a slice of each stacked weight (")
           << expected << "), got (" << body.getArgumentTypes() << ")";
  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(body.back());
  if (!yield || yield.getValues().size() != 1 || yield.getValues().front().getType() != batch) // C5
    return emitOpError("expert region must end in xfmr.yield of one ") << batch;
  return success();
}

namespace {

// softmax, top-k, renormalise ==> top-k, softmax; scores that rise with the logits ==> scored after the choice.
// Choosing by logits is the same choice when nothing is added to the scores and groups are ranked by their best.
// All groups kept ==> one group.
struct CanonicalRouting : OpRewritePattern<MoeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MoeOp op, PatternRewriter &rewriter) const override {
    RoutingAttr old = op.getRouting();
    int64_t groups = old.getNGroup(), kept = old.getTopkGroup();
    GroupScore groupScore = old.getGroupScore();
    if (kept == groups)
      groups = kept = 1;
    if (groups == 1)
      groupScore = GroupScore::max;
    bool monotone = !op.getSelectionBias() && groupScore == GroupScore::max;
    ScoreAt at = old.getScoreAt();
    bool norm = old.getNormTopkProb();
    switch (old.getScore()) {
    case ScoreFunction::softmax:
      if (at == ScoreAt::pre_topk && monotone && norm && old.getNormEps().isZero())
        at = ScoreAt::post_topk;
      if (at == ScoreAt::post_topk && old.getNormEps().isZero())
        norm = false; // a softmax sums to one already
      break;
    case ScoreFunction::sigmoid:
    case ScoreFunction::sqrt_softplus:
      at = monotone ? ScoreAt::post_topk : at;
      break;
    case ScoreFunction::none:
      at = ScoreAt::pre_topk;
      break;
    case ScoreFunction::sparsemixer:
      break;
    }
    auto routing = RoutingAttr::get(op.getContext(), old.getTopK(), old.getScore(), at, norm,
                                    old.getNormEps(), old.getScale(), groups, kept, groupScore,
                                    old.getOverflow(), old.getCapacity(), old.getCapacityFactor(),
                                    old.getSparsemixerEps(), old.getWeightOnInput());
    if (routing == old)
      return rewriter.notifyMatchFailure(op, "routing is canonical");
    rewriter.modifyOpInPlace(op, [&] { op.setRoutingAttr(routing); });
    return success();
  }
};

// A weight expression over slices inside the region ==> the expression over the stacked weights outside.
//   weight_concat %gate, %up axis 0  ==>  weight_concat %gates, %ups axis 1
// What has no form over stacked weights becomes a stack of the expression on each expert's entry.
struct HoistExpertWeight : OpRewritePattern<MoeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MoeOp moe, PatternRewriter &rewriter) const override {
    for (auto op : moe.getExpert().front().getOps<WeightExpressionOpInterface>()) {
      SmallVector<Value> stacked;
      for (Value operand : op->getOperands())
        stacked.push_back(moe.getStacked(operand));
      if (llvm::is_contained(stacked, Value()))
        continue; // an operand inside comes first
      rewriter.setInsertionPoint(moe);
      Operation *outside = stacked.empty() ? nullptr : op.cloneStacked(rewriter, stacked);
      if (!outside) {
        auto slice = typeOf(op->getResult(0));
        SmallVector<int64_t> shape(slice.getShape());
        shape.insert(shape.begin(), moe.getNumExperts());
        SmallVector<Value> entries;
        for (int64_t expert = 0; expert < moe.getNumExperts(); ++expert) {
          IRMapping mapping;
          for (auto [operand, whole] : llvm::zip(op->getOperands(), stacked))
            mapping.map(operand, WeightSelectOp::create(rewriter, op.getLoc(), operand.getType(), whole,
                                                        rewriter.getI64IntegerAttr(expert)));
          entries.push_back(rewriter.clone(*op, mapping)->getResult(0));
        }
        outside = WeightStackOp::create(rewriter, op.getLoc(), slice.clone(shape), entries);
      }
      rewriter.modifyOpInPlace(moe, [&] {
        BlockArgument argument = moe.addStacked(outside->getResult(0));
        rewriter.replaceAllUsesWith(op->getResult(0), argument);
      });
      rewriter.eraseOp(op);
      return success();
    }
    return rewriter.notifyMatchFailure(moe, "the expert region holds no weight expression");
  }
};

// A stacked weight without a use, or given twice ==> gone.
struct DropStackedWeight : OpRewritePattern<MoeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MoeOp moe, PatternRewriter &rewriter) const override {
    auto stacked = moe.getExperts();
    for (unsigned index = 0; index < stacked.size(); ++index) {
      BlockArgument slice = moe.getSlice(index);
      auto first = static_cast<unsigned>(llvm::find(stacked, stacked[index]) - stacked.begin());
      if ((!slice.use_empty() && first == index) || stacked.size() == 1)
        continue;
      rewriter.modifyOpInPlace(moe, [&] {
        if (first != index)
          rewriter.replaceAllUsesWith(slice, moe.getSlice(first));
        moe.getExpertsMutable().erase(index);
        moe.getExpert().eraseArgument(index + 1);
      });
      return success();
    }
    return rewriter.notifyMatchFailure(moe, "every stacked weight has its own use");
  }
};

} // namespace

void MoeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<CanonicalRouting, HoistExpertWeight, DropStackedWeight>(context);
}
