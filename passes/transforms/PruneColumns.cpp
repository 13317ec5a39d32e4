// See PruneColumns.h.
#include "passes/transforms/PruneColumns.h"

#include "weights/Expressions.h"

#include "mlir/IR/Iterators.h"

#include <numeric>

using namespace mlir;

namespace xfmr {
namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

// The weight over all experts whose slice `weight`, inside the mixture's region, is; null where it is no slice.
Value stackedOf(OpBuilder &outside, MoeOp mixture, Value weight) {
  if (Value stacked = mixture.getStacked(weight))
    return stacked;
  auto concat = weight.getDefiningOp<WeightConcatOp>();
  if (!concat || concat->getParentOp() != mixture)
    return {};
  SmallVector<Value> parts;
  for (Value input : concat.getInputs()) {
    parts.push_back(stackedOf(outside, mixture, input));
    if (!parts.back())
      return {};
  }
  SmallVector<int64_t> shape(typeOf(concat).getShape());
  shape.insert(shape.begin(), mixture.getNumExperts());
  return WeightConcatOp::create(outside, concat.getLoc(), RankedTensorType::get(shape, typeOf(concat).getElementType()),
                                parts, concat.getAxis() + 1);
}

// The same selection for every entry of the first axis, or one each.
Value selectStacked(OpBuilder &builder, Value stacked, int64_t axis, const Kept &kept, bool mask) {
  auto select = mask ? maskWeight : selectWeight;
  if (const Indices *common = kept.common())
    return select(builder, stacked, axis + 1, *common);
  RankedTensorType type = typeOf(stacked);
  auto oneType = RankedTensorType::get(type.getShape().drop_front(), type.getElementType());
  SmallVector<Value> parts;
  for (auto [expert, list] : llvm::enumerate(kept.lists)) {
    Value one = WeightSelectOp::create(builder, stacked.getLoc(), oneType, stacked, expert);
    parts.push_back(select(builder, one, axis, list));
  }
  SmallVector<int64_t> shape(typeOf(parts.front()).getShape());
  shape.insert(shape.begin(), static_cast<int64_t>(parts.size()));
  return WeightStackOp::create(builder, stacked.getLoc(), RankedTensorType::get(shape, type.getElementType()), parts);
}

// Replaces operand `index` of `op`, a weight, by its selection along `axis`.
LogicalResult narrowOperand(IRRewriter &rewriter, Operation *op, unsigned index, int64_t axis, const Kept &kept,
                            bool mask) {
  Value weight = op->getOperand(index);
  OpBuilder::InsertionGuard guard(rewriter);
  auto mixture = op->getParentOfType<MoeOp>();
  if (!mixture) {
    rewriter.setInsertionPoint(op);
    op->setOperand(index, (mask ? maskWeight : selectWeight)(rewriter, weight, axis, kept.lists.front()));
    return success();
  }
  rewriter.setInsertionPoint(mixture);
  Value stacked = stackedOf(rewriter, mixture, weight);
  if (!stacked)
    return op->emitError("an expert's weight is an expression over slices of stacked weights; run 'canonicalize' "
                         "before pruning");
  op->setOperand(index, mixture.addStacked(selectStacked(rewriter, stacked, axis, kept, mask)));
  return success();
}

// Rows of a packed gate and up weight that hold the channels `kept`.
Indices packedRows(GluOp glu, ArrayRef<int64_t> kept, int64_t width) {
  Indices rows;
  if (glu.getLayout() == GluLayout::interleaved) {
    for (int64_t channel : kept)
      rows.append({channel < 0 ? -1 : 2 * channel, channel < 0 ? -1 : 2 * channel + 1});
    return rows;
  }
  rows.append(kept.begin(), kept.end());
  for (int64_t channel : kept)
    rows.push_back(channel < 0 ? -1 : width + channel);
  return rows;
}

} // namespace

const Indices *Kept::common() const {
  return llvm::all_equal(lists) ? &lists.front() : nullptr;
}

Indices firstIndices(int64_t count) {
  Indices indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Indices columnsOf(ArrayRef<int64_t> units, int64_t width) {
  Indices columns;
  for (int64_t unit : units)
    for (int64_t i = 0; i < width; ++i)
      columns.push_back(unit < 0 ? -1 : unit * width + i);
  return columns;
}

// What a cut leaves of numbers, rounded again, or null where codes can stay: a cut through groups of columns that share scales
// cannot keep them.
template <typename Cut> static Value roundAgain(OpBuilder &builder, Value weight, bool keepsCodes, Cut cut) {
  if (keepsCodes)
    return {};
  const QuantScheme scheme = *quantSchemeOf(weight.getType());
  const int64_t columns = typeOf(weight).getShape().back();
  emitRemark(weight.getLoc()) << "the cut takes parts of groups of " << scheme.runColumns(columns)
                              << " columns that share scales: what stays is rounded again";
  Value numbers = cut(WeightCastOp::create(builder, weight.getLoc(), withFloats(typeOf(weight)), weight));
  auto type = typeOf(numbers).clone(typeOf(weight).getElementType());
  return WeightQuantizeOp::create(builder, weight.getLoc(), type, numbers, QuantRule::search);
}

LogicalResult refuseRoundingAgain(ModelOp model) {
  WalkResult walked = model.walk([](WeightQuantizeOp again) {
    Value value = again.getInput();
    while (Operation *op = value.getDefiningOp()) {
      if (isa<WeightCastOp>(op) && quantSchemeOf(op->getOperand(0).getType())) {
        again.emitError("the cut takes parts of groups of columns that share scales, so what stays would be rounded again; "
                        "choose a width in whole groups, or recut=round");
        return WalkResult::interrupt();
      }
      if (!isa<WeightSliceOp, WeightGatherOp, WeightMaskOp, WeightConcatOp, WeightSelectOp, WeightStackOp>(op))
        break;
      value = op->getOperand(0);
    }
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

Value selectWeight(OpBuilder &builder, Value weight, int64_t axis, ArrayRef<int64_t> kept) {
  if (std::optional<QuantScheme> scheme = quantSchemeOf(weight.getType()); scheme && axis == typeOf(weight).getRank() - 1) {
    const bool whole = !llvm::is_contained(kept, -1) && takesWholeRuns(*scheme, typeOf(weight).getDimSize(axis), kept);
    if (Value again = roundAgain(builder, weight, whole,
                                 [&](Value numbers) { return selectWeight(builder, numbers, axis, kept); }))
      return again;
  }
  if (llvm::is_contained(kept, -1)) { // the last entry of a longer weight
    Indices indices(kept);
    llvm::replace(indices, int64_t(-1), typeOf(weight).getDimSize(axis));
    return selectWeight(builder, padWeight(builder, weight.getLoc(), weight, axis, 1), axis, indices);
  }
  RankedTensorType type = withExtent(typeOf(weight), axis, kept.size());
  if (type == weight.getType())
    return weight;
  if (kept.back() - kept.front() + 1 == static_cast<int64_t>(kept.size()))
    return WeightSliceOp::create(builder, weight.getLoc(), type, weight, axis, kept.front(), kept.size());
  return WeightGatherOp::create(builder, weight.getLoc(), type, weight, axis, kept);
}

Value maskWeight(OpBuilder &builder, Value weight, int64_t axis, ArrayRef<int64_t> kept) {
  if (typeOf(weight).getDimSize(axis) == static_cast<int64_t>(kept.size()))
    return weight;
  std::optional<QuantScheme> scheme = quantSchemeOf(weight.getType());
  if (scheme && !scheme->zeroCode() && axis == typeOf(weight).getRank() - 1)
    return roundAgain(builder, weight, /*keepsCodes=*/false,
                      [&](Value numbers) { return maskWeight(builder, numbers, axis, kept); });
  return WeightMaskOp::create(builder, weight.getLoc(), weight.getType(), weight, axis, kept);
}

LogicalResult keepProducedColumns(IRRewriter &rewriter, Value value, const Kept &kept) {
  const int64_t width = typeOf(value).getDimSize(1);
  if (width == kept.size())
    return success();
  Operation *op = value.getDefiningOp();
  value.setType(withExtent(typeOf(value), 1, kept.size()));
  if (auto glu = dyn_cast<GluOp>(op)) {
    Kept rows;
    for (const Indices &list : kept.lists)
      rows.lists.push_back(packedRows(glu, list, width));
    for (unsigned index = 1; index < op->getNumOperands(); ++index)
      if (failed(narrowOperand(rewriter, op, index, /*axis=*/0, rows, /*mask=*/false)))
        return failure();
    return success();
  }
  if (isa<LinearOp>(op)) {
    for (unsigned index = 1; index < op->getNumOperands(); ++index)
      if (failed(narrowOperand(rewriter, op, index, /*axis=*/0, kept, /*mask=*/false)))
        return failure();
    return success();
  }
  for (Value operand : cast<ColumnwiseOpInterface>(op).getColumnOperands())
    if (failed(keepProducedColumns(rewriter, operand, kept)))
      return failure();
  return success();
}

LogicalResult keepReadColumns(IRRewriter &rewriter, Value value, const Kept &kept, bool mask) {
  SmallVector<Operation *> readers(value.getUsers());
  for (Operation *reader : readers)
    if (failed(narrowOperand(rewriter, reader, /*index=*/1, /*axis=*/1, kept, mask)))
      return failure();
  return success();
}

void separateSplits(IRRewriter &rewriter, BlockOp block) {
  SmallVector<SplitOp> splits;
  block.walk([&](SplitOp split) {
    if (auto linear = split.getInput().getDefiningOp<LinearOp>(); linear && linear->hasOneUse())
      splits.push_back(split);
  });
  for (SplitOp split : splits) {
    auto linear = split.getInput().getDefiningOp<LinearOp>();
    rewriter.setInsertionPoint(split);
    SmallVector<Value> parts;
    int64_t row = 0;
    for (Value result : split.getResults()) {
      Indices rows = firstIndices(typeOf(result).getDimSize(1));
      for (int64_t &index : rows)
        index += row;
      row += rows.size();
      Value weight = selectWeight(rewriter, linear.getWeight(), 0, rows);
      Value bias = linear.getBias() ? selectWeight(rewriter, linear.getBias(), 0, rows) : Value();
      parts.push_back(
          LinearOp::create(rewriter, linear.getLoc(), result.getType(), linear.getInput(), weight, bias));
    }
    rewriter.replaceOp(split, parts);
    rewriter.eraseOp(linear);
  }
}

void eraseDeadWeights(Operation *root) {
  auto eraseIn = [](Operation *within) {
    within->walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
      if (op->use_empty() && isa<WeightExpressionOpInterface>(op))
        op->erase();
    });
  };
  eraseIn(root);
  root->walk([](MoeOp mixture) {
    for (int index = static_cast<int>(mixture.getExperts().size()) - 1; index >= 0; --index)
      if (mixture.getSlice(index).use_empty()) {
        mixture.getExpertsMutable().erase(index);
        mixture.getExpert().eraseArgument(index + 1);
      }
  });
  eraseIn(root);
}

} // namespace xfmr
