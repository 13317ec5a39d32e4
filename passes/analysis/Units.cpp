// Removing a column is exact when every op between the projection that makes it and the linear that
// reads it treats columns (or whole heads) one by one.
#include "passes/analysis/Units.h"
#include "dialect/Structure.h"

using namespace mlir;

namespace xfmr {
namespace {

int64_t widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

std::string quoted(Operation *op) { return ("'" + op->getName().getStringRef() + "'").str(); }

struct Refusal {
  std::string reason;
  Operation *at = nullptr;
  explicit operator bool() const { return at; }
};

// Why groups of `unit` columns of `value`, read by `user`, cannot be removed from what makes it.
Refusal refuseProducers(Value value, Operation *user, int64_t unit) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {"it comes from outside, not from a projection", user};
  for (Operation *other : value.getUsers())
    if (other != user)
      return {"a value on the way has another use, by " + quoted(other), op};
  if (isa<GluOp>(op))
    return {};
  if (const ProjectedRows rows = projectedRowsOf(value); rows || isa<SplitOp>(op)) {
    if (!rows || (rows.isPart && !LinearOp(rows.linear)->hasOneUse()))
      return {"it is part of a split that no linear of its own feeds", op};
    return {};
  }
  auto columnwise = dyn_cast<ColumnwiseOpInterface>(op);
  if (!columnwise)
    return {"it passes through " + quoted(op) + ", which mixes columns or has none to remove", op};
  if (const int64_t group = columnwise.getColumnGroup(); unit % group != 0)
    return {quoted(op) + " works on groups of " + std::to_string(group) + " columns, so removing " + std::to_string(unit) +
                " changes the others",
            op};
  for (Value operand : columnwise.getColumnOperands())
    if (Refusal refusal = refuseProducers(operand, op, unit))
      return refusal;
  return {};
}

// Every reader must be a linear; gives the widest, which an adapter's narrow branch is not.
Refusal findReader(Value value, LinearOp &reader) {
  for (OpOperand &use : value.getUses()) {
    auto linear = dyn_cast<LinearOp>(use.getOwner());
    if (!linear || use.getOperandNumber() != 0)
      return {"it is read by " + quoted(use.getOwner()) + ", not by a projection only", use.getOwner()};
    if (!reader || widthOf(linear.getResult()) > widthOf(reader.getResult()))
      reader = linear;
  }
  if (!reader)
    return {"no projection reads it", value.getDefiningOp()};
  return {};
}

// True where an op of these classes made `value`, seen through ops on single columns.
template <typename... OpTypes> bool holds(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<OpTypes...>(op))
    return true;
  auto columnwise = dyn_cast<ColumnwiseOpInterface>(op);
  return columnwise && columnwise.getColumnGroup() == 1 && llvm::any_of(columnwise.getColumnOperands(), holds<OpTypes...>);
}

// A product, GLU or activation at the end of its columnwise chain. Only projections lie behind a feed-forward network; an
// attention's output gate looks like one but is none.
bool endsHiddenChain(Operation *op) {
  if (!isa<GluOp, MulOp, ActivationOp>(op) || op->use_empty() || !holds<GluOp, ActivationOp>(op->getResult(0)) ||
      holds<AttentionOp>(op->getResult(0)))
    return false;
  return llvm::any_of(op->getUsers(), [](Operation *user) { return isa<LinearOp, RmsNormOp, LayerNormOp>(user); });
}

} // namespace

int64_t FeedForwardUnits::width() { return widthOf(hidden); }

SmallVector<AttentionUnits> findAttentions(BlockOp block) {
  SmallVector<AttentionUnits> found;
  block.walk([&](AttentionOp attention) {
    AttentionUnits units{attention, {}, {}, attention};
    Refusal refusal;
    if (attention.getAlibi())
      refusal = {"biases by distance (alibi) depend on the number of heads", attention};
    if (attention.getBias())
      refusal = {"its biases by distance are a column a head of a table that all layers read", attention};
    const std::pair<Value, const char *> operands[] = {
        {attention.getQuery(), "query"}, {attention.getKey(), "key"}, {attention.getValue(), "value"}};
    for (auto [operand, role] : operands)
      if (!refusal && (refusal = refuseProducers(operand, attention, units.headDim())))
        refusal.reason = std::string(role) + ": " + refusal.reason;
    if (!refusal && (refusal = findReader(attention.getResult(), units.out)))
      refusal.reason = "output: " + refusal.reason;
    if (refusal) {
      units.refusal = refusal.reason;
      units.at = refusal.at;
    }
    found.push_back(units);
  });
  return found;
}

SmallVector<FeedForwardUnits> findFeedForwards(BlockOp block) {
  SmallVector<FeedForwardUnits> found;
  block.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!endsHiddenChain(op))
      return;
    FeedForwardUnits units{op->getResult(0), {}, op->getParentOfType<MoeOp>(), {}, op};
    Refusal refusal = findReader(units.hidden, units.down);
    if (!isa<GluOp>(op)) // a GLU holds the projections itself
      for (Value operand : op->getOperands())
        if (!refusal)
          refusal = refuseProducers(operand, op, /*unit=*/1);
    if (refusal) {
      units.refusal = refusal.reason;
      units.at = refusal.at;
    }
    found.push_back(units);
  });
  return found;
}

std::string expertRefusal(MoeOp mixture) {
  RoutingAttr routing = mixture.getRouting();
  if (routing.getScore() == ScoreFunction::sparsemixer)
    return "sparsemixer weighs a chosen expert against its rivals, chosen or not";
  if (routing.getOverflow() == Overflow::drop && !routing.getCapacityFactor().isZero())
    return "the capacity of an expert depends on the number of experts";
  if (routing.getScore() == ScoreFunction::softmax && routing.getScoreAt() == ScoreAt::pre_topk) {
    if (!routing.getNormTopkProb())
      return "its softmax over all experts is not normalised over the chosen, so a removed expert changes the "
             "weights of the others";
    if (!routing.getNormEps().isZero())
      return "norm_eps is added to a sum of softmax values over all experts";
  }
  return {};
}

} // namespace xfmr
