// xfmr-fuse-qkv: the three projections before an attention become one linear and a split. Exact.
#include "passes/Passes.h"
#include "dialect/Structure.h"
#include "passes/analysis/LayerNote.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRFUSEQKV
#include "passes/Passes.h.inc"

namespace {

constexpr StringLiteral roles[] = {"query", "key", "value"};

Type elementType(Value weight) { return cast<RankedTensorType>(weight.getType()).getElementType(); }

// Why three linears cannot become one; empty when they can. They are in the order of `roles`.
std::string refusal(SmallVectorImpl<LinearOp> &linears) {
  LinearOp first = linears.front();
  for (size_t i = 1; i < linears.size(); ++i) {
    LinearOp linear = linears[i];
    std::string pair = ("query and " + roles[i]).str();
    if (linear.getInput() != first.getInput())
      return pair + " read different values";
    if (linear->getBlock() != first->getBlock())
      return pair + " lie in different regions";
    if (elementType(linear.getWeight()) != elementType(first.getWeight()))
      return pair + " weights differ in element type";
    if (!linear.getBias() != !first.getBias())
      return "only one of " + pair + " has a bias";
    if (linear.getBias() && elementType(linear.getBias()) != elementType(first.getBias()))
      return pair + " biases differ in element type";
  }
  if (linears[0] == linears[1] || linears[0] == linears[2] || linears[1] == linears[2])
    return "one projection serves two of query, key and value";
  return {};
}

// Moves the weight expression that defines `value` in front of `point`, where it stands after it.
void hoistBefore(Value value, Operation *point) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != point->getBlock() || op->isBeforeInBlock(point))
    return;
  for (Value operand : op->getOperands())
    hoistBefore(operand, point);
  op->moveBefore(point);
}

// One value above the other along rows.
Value stackRows(IRRewriter &rewriter, Location loc, ArrayRef<Value> values) {
  auto type = cast<RankedTensorType>(values.front().getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = 0;
  for (Value value : values)
    shape[0] += cast<RankedTensorType>(value.getType()).getDimSize(0);
  return WeightConcatOp::create(rewriter, loc, type.clone(shape), values, /*axis=*/0);
}

struct FuseQkv : impl::XfmrFuseQkvBase<FuseQkv> {
  void runOnOperation() override {
    SmallVector<AttentionOp> attentions;
    getOperation().walk([&](AttentionOp attention) { attentions.push_back(attention); });
    IRRewriter rewriter(&getContext());
    for (AttentionOp attention : attentions)
      fuse(rewriter, attention);
  }

  void skip(AttentionOp attention, const Twine &reason) {
    attention.emitRemark("projections not fused: ") << reason << layerNote(attention);
    ++skipped;
  }

  void fuse(IRRewriter &rewriter, AttentionOp attention) {
    SmallVector<LinearOp> linears;
    Value operands[] = {attention.getQuery(), attention.getKey(), attention.getValue()};
    for (auto [operand, role] : llvm::zip(operands, roles)) {
      Value projection = headPathOf(operand).projected;
      Operation *op = projection.getDefiningOp();
      if (isa_and_present<SplitOp>(op))
        return; // fused already
      if (!isa_and_present<LinearOp>(op))
        return skip(attention, role + " comes from " +
                                   (op ? "'" + op->getName().getStringRef() + "'"
                                       : Twine("a block argument")) +
                                   ", not xfmr.linear");
      linears.push_back(cast<LinearOp>(op));
    }
    if (std::string reason = refusal(linears); !reason.empty())
      return skip(attention, reason);
    replace(rewriter, linears);
    ++fused;
  }

  void replace(IRRewriter &rewriter, ArrayRef<LinearOp> linears) {
    LinearOp first = linears.front();
    for (LinearOp linear : linears)
      if (linear->isBeforeInBlock(first))
        first = linear;
    SmallVector<Value> weights, biases;
    SmallVector<Type> types;
    int64_t width = 0;
    for (LinearOp linear : linears) {
      hoistBefore(linear.getWeight(), first);
      weights.push_back(linear.getWeight());
      if (Value bias = linear.getBias()) {
        hoistBefore(bias, first);
        biases.push_back(bias);
      }
      types.push_back(linear.getType());
      width += cast<RankedTensorType>(linear.getType()).getDimSize(1);
    }
    rewriter.setInsertionPoint(first);
    Location loc = first.getLoc();
    auto rowType = cast<RankedTensorType>(first.getType());
    Value weight = stackRows(rewriter, loc, weights);
    Value bias = biases.empty() ? Value() : stackRows(rewriter, loc, biases);
    Value all = LinearOp::create(rewriter, loc, rowType.clone({rowType.getDimSize(0), width}),
                                 first.getInput(), weight, bias);
    auto split = SplitOp::create(rewriter, loc, types, all);
    for (auto [linear, part] : llvm::zip(linears, split.getResults()))
      rewriter.replaceOp(linear, part);
  }
};

} // namespace
} // namespace xfmr
