// xfmr-form-regions: inlines the blocks of every phase and wraps what shares a kernel in xfmr.fused.
#include "passes/lowering/Passes.h"
#include "passes/lowering/RegionGroups.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRFORMREGIONS
#include "passes/lowering/Passes.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;

namespace {

// Moves the ops of every block in front of it; remembers the layer each came from.
void inlineBlocks(PhaseOp phase, DenseMap<Operation *, int64_t> &layerOf) {
  for (auto block : llvm::make_early_inc_range(phase.getBody().getOps<BlockOp>())) {
    Block &body = block.getBody().front();
    for (auto [argument, input] : llvm::zip(body.getArguments(), block.getInputs()))
      argument.replaceAllUsesWith(input);
    auto yield = cast<YieldOp>(body.back());
    for (auto [result, value] : llvm::zip(block.getResults(), yield.getValues()))
      result.replaceAllUsesWith(value);
    yield.erase();
    for (Operation &op : llvm::make_early_inc_range(body)) {
      op.moveBefore(block);
      layerOf[&op] = block.getLayer();
    }
    block.erase();
  }
}

void eraseDead(PhaseOp phase) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(phase.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

bool liesInside(Operation *op) { return op && (isWeightExpression(op) || isa<PositionOp>(op)); }

// Wraps the ops of a group; weights and positions are copied inside.
void wrap(const RegionGroup &group, std::optional<int64_t> layer) {
  DenseSet<Operation *> members(group.ops.begin(), group.ops.end());
  SetVector<Value> inputs;
  SmallVector<Value> outputs;
  for (Operation *op : group.ops)
    for (Value operand : op->getOperands())
      if (!members.contains(operand.getDefiningOp()) && !liesInside(operand.getDefiningOp()))
        inputs.insert(operand);
  auto isRead = [&](Value value) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) { return !members.contains(user); });
  };
  for (Operation *op : llvm::reverse(group.ops))
    if (op != group.shared)
      for (Value result : op->getResults())
        if (isRead(result))
          outputs.push_back(result);

  Operation *last = group.ops.back();
  OpBuilder builder(last);
  IntegerAttr layerAttr = layer ? builder.getI64IntegerAttr(*layer) : IntegerAttr();
  auto fused = FusedOp::create(builder, last->getLoc(), llvm::to_vector(ValueRange(outputs).getTypes()), group.kind,
                               layerAttr, inputs.getArrayRef());
  Block *body = builder.createBlock(&fused.getBody());
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
  std::function<void(Operation *)> clone = [&](Operation *op) {
    for (Value operand : op->getOperands())
      if (!mapping.contains(operand) && liesInside(operand.getDefiningOp()))
        clone(operand.getDefiningOp());
    builder.clone(*op, mapping);
  };
  for (Operation *op : group.ops)
    clone(op);
  YieldOp::create(builder, last->getLoc(), llvm::map_to_vector(outputs, [&](Value v) { return mapping.lookup(v); }));

  for (auto [output, result] : llvm::zip(outputs, fused.getResults()))
    output.replaceUsesWithIf(result, [&](OpOperand &use) { return !members.contains(use.getOwner()); });
  for (Operation *op : llvm::reverse(group.ops))
    if (op->use_empty())
      op->erase();
}

struct FormRegions : xfmr::impl::XfmrFormRegionsBase<FormRegions> {
  using XfmrFormRegionsBase::XfmrFormRegionsBase;

  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>()) {
      const FusionPolicy policy = FusionPolicy::of(program.targetOrPortable().getKind());
      for (auto phase : program.getBody().getOps<PhaseOp>())
        if (failed(form(phase, policy)))
          return signalPassFailure();
    }
  }

  LogicalResult form(PhaseOp phase, FusionPolicy policy) {
    DenseMap<Operation *, int64_t> layerOf;
    inlineBlocks(phase, layerOf);
    eraseDead(phase);
    RegionGroups finder(phase, policy, layerOf);
    auto groups = finder.find();
    if (failed(groups))
      return failure();
    numApart += finder.numApart();
    for (const RegionGroup &group : *groups) {
      ++numRegions;
      numFused += group.ops.size() - 1;
      auto layer = layerOf.find(group.ops.back());
      wrap(group, layer == layerOf.end() ? std::nullopt : std::optional<int64_t>(layer->second));
    }
    eraseDead(phase);
    return success();
  }
};

} // namespace
