// Canonicalisations of the weight expressions: selections (slice, gather) move towards the tensors, so that what is
// not needed is never read; concats, stacks and transposes move outwards. No rewrite changes a bit of an element.
#include "dialect/Xfmr.h"

#include "mlir/IR/PatternMatch.h"
#include <algorithm>

using namespace mlir;
using namespace xfmr;

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

// What a slice or gather takes along an axis, so that it can be applied to another value.
struct Selection {
  Location loc;
  int64_t axis;
  SmallVector<int64_t> indices; // ascending and consecutive for a slice
  bool isSlice;

  explicit Selection(WeightSliceOp op)
      : loc(op.getLoc()), axis(op.getAxis()),
        indices(llvm::to_vector(llvm::seq<int64_t>(op.getOffset(), op.getOffset() + op.getSize()))), isSlice(true) {}
  explicit Selection(WeightGatherOp op)
      : loc(op.getLoc()), axis(op.getAxis()), indices(op.getIndices()), isSlice(false) {}

  Value apply(PatternRewriter &rewriter, Value input, int64_t onAxis) const {
    return take(rewriter, input, onAxis, indices);
  }

  Value take(PatternRewriter &rewriter, Value input, int64_t onAxis, ArrayRef<int64_t> what) const {
    auto size = static_cast<int64_t>(what.size());
    RankedTensorType type = withExtent(typeOf(input), onAxis, size);
    if (isSlice)
      return WeightSliceOp::create(rewriter, loc, type, input, onAxis, what.front(), size);
    return WeightGatherOp::create(rewriter, loc, type, input, onAxis, what);
  }
};

// slice(slice(x)), gather(gather(x)) and both mixtures on one axis ==> one slice or gather
template <typename OpT> struct SelectionOfSelection : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    Selection outer(op);
    if (auto slice = op.getInput().template getDefiningOp<WeightSliceOp>())
      return combine(op, outer, Selection(slice), slice.getInput(), rewriter);
    if (auto gather = op.getInput().template getDefiningOp<WeightGatherOp>())
      return combine(op, outer, Selection(gather), gather.getInput(), rewriter);
    return rewriter.notifyMatchFailure(op, "input is neither slice nor gather");
  }

  static LogicalResult combine(OpT op, Selection outer, const Selection &inner, Value input,
                               PatternRewriter &rewriter) {
    if (inner.axis != outer.axis)
      return rewriter.notifyMatchFailure(op, "input selects on another axis");
    for (int64_t &index : outer.indices)
      index = inner.indices[index];
    outer.isSlice = outer.isSlice && inner.isSlice;
    rewriter.replaceOp(op, outer.apply(rewriter, input, outer.axis));
    return success();
  }
};

// selection(concat(a, b, …)) on the same axis ==> concat of selections of those inputs it takes from,
// when it takes from them in order; a selection within one input becomes one of that input
template <typename OpT> struct SelectionOfConcat : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    auto concat = op.getInput().template getDefiningOp<WeightConcatOp>();
    if (!concat || concat.getAxis() != op.getAxis())
      return rewriter.notifyMatchFailure(op, "input is not a concat on the same axis");
    Selection selection(op);
    SmallVector<SmallVector<int64_t>> perInput(concat.getInputs().size());
    size_t current = 0;
    for (int64_t index : selection.indices) {
      size_t owner = 0;
      for (; index >= extent(concat, owner); ++owner)
        index -= extent(concat, owner);
      if (owner < current)
        return rewriter.notifyMatchFailure(op, "takes from the inputs of the concat out of order");
      current = owner;
      perInput[owner].push_back(index);
    }
    SmallVector<Value> parts;
    for (auto [input, indices] : llvm::zip(concat.getInputs(), perInput))
      if (!indices.empty())
        parts.push_back(selection.take(rewriter, input, selection.axis, indices));
    rewriter.replaceOpWithNewOp<WeightConcatOp>(op, op.getType(), parts, selection.axis);
    return success();
  }

  static int64_t extent(WeightConcatOp concat, size_t input) {
    return typeOf(concat.getInputs()[input]).getDimSize(concat.getAxis());
  }
};

// selection(stack(a, b, …)) on axis 0 ==> stack of those inputs
template <typename OpT> struct SelectionOfStack : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    auto stack = op.getInput().template getDefiningOp<WeightStackOp>();
    if (!stack || op.getAxis() != 0)
      return rewriter.notifyMatchFailure(op, "does not select from the inputs of a stack");
    SmallVector<Value> kept;
    for (int64_t index : Selection(op).indices)
      kept.push_back(stack.getInputs()[index]);
    rewriter.replaceOpWithNewOp<WeightStackOp>(op, op.getType(), kept);
    return success();
  }
};

// selection(f(a, b)) ==> f of selections, for f that computes each element of the result from the same place of its
// operands: transpose, scale, cast, sum; product and low-rank sum (rows of the left, columns of the right factor);
// concat along another axis. Only where f has no other use, as it would be evaluated twice.
template <typename OpT> struct SelectionOfExpression : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().template getDefiningOp<WeightExpressionOpInterface>();
    if (!inner || inner->getNumOperands() == 0 || !inner->hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is a tensor or has other uses");
    Selection selection(op);
    SmallVector<Value> operands;
    for (OpOperand &operand : inner->getOpOperands()) {
      std::optional<int64_t> axis = inner.getOperandAxis(operand.getOperandNumber(), selection.axis);
      if (!axis)
        return rewriter.notifyMatchFailure(op, "input is no expression a selection moves into");
      const bool whole = *axis == WeightExpressionOpInterface::kWhole;
      operands.push_back(whole ? operand.get() : selection.apply(rewriter, operand.get(), *axis));
    }
    OperationState state(inner->getLoc(), inner->getName(), operands, op->getResultTypes());
    state.propertiesAttr = inner->getPropertiesAsAttribute();
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }
};

// gather of consecutive indices ==> slice
struct GatherToSlice : OpRewritePattern<WeightGatherOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightGatherOp op, PatternRewriter &rewriter) const override {
    Selection selection(op);
    for (size_t i = 1; i < selection.indices.size(); ++i)
      if (selection.indices[i] != selection.indices[i - 1] + 1)
        return rewriter.notifyMatchFailure(op, "indices are not consecutive");
    selection.isSlice = true;
    rewriter.replaceOp(op, selection.apply(rewriter, op.getInput(), selection.axis));
    return success();
  }
};

// gather(mask(x)) of kept indices only, on the same axis ==> gather(x)
struct GatherOfMask : OpRewritePattern<WeightGatherOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightGatherOp op, PatternRewriter &rewriter) const override {
    auto mask = op.getInput().getDefiningOp<WeightMaskOp>();
    if (!mask || mask.getAxis() != op.getAxis())
      return rewriter.notifyMatchFailure(op, "input is not a mask on the same axis");
    for (int64_t index : op.getIndices())
      if (!std::binary_search(mask.getKeep().begin(), mask.getKeep().end(), index))
        return rewriter.notifyMatchFailure(op, "takes an entry that the mask zeroes");
    rewriter.modifyOpInPlace(op, [&] { op.getInputMutable().assign(mask.getInput()); });
    return success();
  }
};

// mask(mask(x)) on one axis ==> mask of what both keep
struct MaskOfMask : OpRewritePattern<WeightMaskOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightMaskOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<WeightMaskOp>();
    if (!inner || inner.getAxis() != op.getAxis())
      return rewriter.notifyMatchFailure(op, "input is not a mask on the same axis");
    SmallVector<int64_t> keep;
    std::set_intersection(op.getKeep().begin(), op.getKeep().end(), inner.getKeep().begin(),
                          inner.getKeep().end(), std::back_inserter(keep)); // both ascend
    rewriter.replaceOpWithNewOp<WeightMaskOp>(op, op.getType(), inner.getInput(), op.getAxis(), keep);
    return success();
  }
};

// concat(concat(a, b), c) on one axis ==> concat(a, b, c)
struct ConcatOfConcat : OpRewritePattern<WeightConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightConcatOp op, PatternRewriter &rewriter) const override {
    SmallVector<Value> inputs;
    for (Value input : op.getInputs()) {
      auto inner = input.getDefiningOp<WeightConcatOp>();
      if (inner && inner.getAxis() == op.getAxis())
        llvm::append_range(inputs, inner.getInputs());
      else
        inputs.push_back(input);
    }
    if (inputs.size() == op.getInputs().size())
      return rewriter.notifyMatchFailure(op, "no input is a concat on the same axis");
    rewriter.replaceOpWithNewOp<WeightConcatOp>(op, op.getType(), inputs, op.getAxis());
    return success();
  }
};

// concat(slice(x, 0..k), slice(x, k..n)) ==> slice(x, 0..n): what was taken apart and put together again
struct ConcatOfAdjacentSlices : OpRewritePattern<WeightConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightConcatOp op, PatternRewriter &rewriter) const override {
    auto inputs = op.getInputs();
    for (unsigned i = 0; i + 1 < inputs.size(); ++i) {
      auto first = inputs[i].getDefiningOp<WeightSliceOp>();
      auto second = inputs[i + 1].getDefiningOp<WeightSliceOp>();
      if (!first || !second || first.getInput() != second.getInput() ||
          first.getAxis() != op.getAxis() || second.getAxis() != op.getAxis() ||
          first.getOffset() + first.getSize() != second.getOffset())
        continue;
      int64_t size = first.getSize() + second.getSize();
      auto type = withExtent(typeOf(first.getInput()), op.getAxis(), size);
      Value both = WeightSliceOp::create(rewriter, first.getLoc(), type, first.getInput(), op.getAxis(),
                                         first.getOffset(), size);
      SmallVector<Value> merged(inputs);
      merged[i] = both;
      merged.erase(merged.begin() + i + 1);
      rewriter.replaceOpWithNewOp<WeightConcatOp>(op, op.getType(), merged, op.getAxis());
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no two neighbours continue one another");
  }
};

// transpose(concat(a, b)) ==> concat(transpose(a), transpose(b)), so that selections meet the concat
struct TransposeOfConcat : OpRewritePattern<WeightTransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightTransposeOp op, PatternRewriter &rewriter) const override {
    auto concat = op.getInput().getDefiningOp<WeightConcatOp>();
    if (!concat || !concat->hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is not a concat of this use only");
    int64_t rank = typeOf(op.getResult()).getRank(), axis = concat.getAxis();
    SmallVector<Value> inputs;
    for (Value input : concat.getInputs()) {
      SmallVector<int64_t> shape(typeOf(input).getShape());
      std::swap(shape[rank - 1], shape[rank - 2]);
      inputs.push_back(
          WeightTransposeOp::create(rewriter, op.getLoc(), typeOf(input).clone(shape), input));
    }
    rewriter.replaceOpWithNewOp<WeightConcatOp>(op, op.getType(), inputs,
                                                axis < rank - 2 ? axis : 2 * rank - 3 - axis);
    return success();
  }
};

// select(slice(x) or gather(x) on axis 0, i) ==> select(x, the i-th entry it takes)
struct SelectOfSelection : OpRewritePattern<WeightSelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightSelectOp op, PatternRewriter &rewriter) const override {
    if (auto slice = op.getInput().getDefiningOp<WeightSliceOp>(); slice && slice.getAxis() == 0) {
      rewriter.replaceOpWithNewOp<WeightSelectOp>(op, op.getType(), slice.getInput(),
                                                  slice.getOffset() + op.getIndex());
      return success();
    }
    if (auto gather = op.getInput().getDefiningOp<WeightGatherOp>(); gather && gather.getAxis() == 0) {
      rewriter.replaceOpWithNewOp<WeightSelectOp>(op, op.getType(), gather.getInput(),
                                                  gather.getIndices()[op.getIndex()]);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "input is no slice or gather on axis 0");
  }
};

template <typename OpT> void addSelectionPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SelectionOfSelection<OpT>, SelectionOfConcat<OpT>, SelectionOfStack<OpT>,
               SelectionOfExpression<OpT>>(context);
}

} // namespace

void WeightSliceOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  addSelectionPatterns<WeightSliceOp>(patterns, context);
}
void WeightGatherOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  addSelectionPatterns<WeightGatherOp>(patterns, context);
  patterns.add<GatherToSlice, GatherOfMask>(context);
}
void WeightMaskOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MaskOfMask>(context);
}
void WeightConcatOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ConcatOfConcat, ConcatOfAdjacentSlices>(context);
}
void WeightTransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<TransposeOfConcat>(context);
}
void WeightSelectOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SelectOfSelection>(context);
}
