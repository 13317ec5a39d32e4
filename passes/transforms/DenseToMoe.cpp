// See DenseToMoe.h.
#include "passes/transforms/DenseToMoe.h"

#include "weights/Expressions.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace xfmr {
namespace {

RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

InFlightDiagnostic refuse(Operation *at) {
  return at->emitError("cannot make experts of this network: ");
}

// Collects the ops behind `value` up to the projections that read `input`, which the first of them decides.
LogicalResult collect(Value value, llvm::SetVector<Operation *> &ops, Value &input) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return refuse(value.getParentRegion()->getParentOp()) << "it reads the block's input without a projection";
  if (!ops.insert(op))
    return success();
  if (isa<LinearOp, GluOp>(op)) {
    if (!input)
      input = op->getOperand(0);
    if (op->getOperand(0) == input)
      return success();
    return refuse(op) << "its projections read different values; xfmr-fold-lora folds adapters";
  }
  for (Value operand : op->getOperands())
    if (!isWeight(operand) && failed(collect(operand, ops, input)))
      return failure();
  return success();
}

// The weight N times, as the stacked weight of N experts.
Value stackOf(OpBuilder &builder, Value weight, int64_t copies) {
  SmallVector<int64_t> shape(typeOf(weight).getShape());
  shape.insert(shape.begin(), copies);
  return WeightStackOp::create(builder, weight.getLoc(), RankedTensorType::get(shape, typeOf(weight).getElementType()),
                               SmallVector<Value>(copies, weight));
}

// A router [E, D] of zeros: zero times rows of a projection that reads the same value.
Value zeroRouter(OpBuilder &builder, DenseNetwork &network, int64_t experts) {
  for (Operation *op : network.ops)
    if (isa<LinearOp, GluOp>(op) && op->getOperand(0) == network.input) {
      Value rows = gatherWeight(builder, op->getLoc(), op->getOperand(1), 0, SmallVector<int64_t>(experts, 0));
      return zerosLike(builder, op->getLoc(), rows);
    }
  llvm_unreachable("a network has a projection of its input");
}

} // namespace

RoutingAttr normalisedRouting(MLIRContext *context, int64_t topK) {
  return RoutingAttr::get(context, topK, ScoreFunction::softmax, ScoreAt::pre_topk, /*norm_topk_prob=*/true,
                          llvm::APFloat(0.0), llvm::APFloat(1.0), 1, 1, GroupScore::max, Overflow::none, 0,
                          llvm::APFloat(0.0), llvm::APFloat(0.0), false);
}

LogicalResult checkShape(ModelOp model, ExpertShape shape) {
  constexpr int64_t kMostExperts = 512, kMostChosen = 16; // what kernels can route, docs/Moe.md
  if (shape.experts < 2 || shape.experts > kMostExperts)
    return model.emitError("experts is ") << shape.experts << ", expected 2 to " << kMostExperts;
  if (shape.topK < 1 || shape.topK > std::min(shape.experts, kMostChosen))
    return model.emitError("top_k is ") << shape.topK << ", expected 1 to " << std::min(shape.experts, kMostChosen);
  return success();
}

FailureOr<DenseNetwork> denseNetworkOf(const FeedForwardUnits &units) {
  if (!units.refusal.empty())
    return refuse(units.at) << units.refusal;
  Value hidden = units.hidden;
  if (!hidden.hasOneUse()) {
    InFlightDiagnostic error = refuse(hidden.getDefiningOp()) << "expected one down projection as the only reader";
    for (Operation *user : hidden.getUsers())
      error.attachNote(user->getLoc()) << "read here; xfmr-fold-lora folds adapters";
    return error;
  }
  LinearOp down = units.down;
  DenseNetwork network{units, {}, {}};
  llvm::SetVector<Operation *> ops;
  if (failed(collect(hidden, ops, network.input)))
    return failure();
  ops.insert(down);
  for (Operation *op : ops)
    for (Operation *user : op->getUsers())
      if (op != down && !ops.contains(user)) {
        InFlightDiagnostic error = refuse(op) << "a value inside of it has another use";
        error.attachNote(user->getLoc()) << "used here";
        return error;
      }
  network.ops.assign(ops.begin(), ops.end());
  llvm::sort(network.ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return network;
}

LogicalResult findDenseNetworks(ModelOp model, ArrayRef<BlockOp> blocks, SmallVectorImpl<DenseNetwork> &found) {
  for (BlockOp block : blocks) {
    SmallVector<FeedForwardUnits> networks = findFeedForwards(block);
    MoeOp mixture;
    block.walk([&](MoeOp moe) { mixture = moe; });
    if (mixture) {
      mixture.emitRemark("left as it is: the layer has a mixture already");
      continue;
    }
    if (networks.size() != 1)
      return block.emitError("cannot make experts of a layer with ")
             << networks.size() << " feed-forward networks, expected one";
    FailureOr<DenseNetwork> network = denseNetworkOf(networks.front());
    if (failed(network))
      return failure();
    found.push_back(*network);
  }
  if (found.empty())
    return model.emitError("there is no feed-forward network outside of mixtures");
  return success();
}

FeedForwardUnits makeMixture(IRRewriter &rewriter, DenseNetwork &network, ExpertShape shape) {
  LinearOp down = network.units.down;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(down);
  Value router = zeroRouter(rewriter, network, shape.experts);
  llvm::SetVector<Value> weights;
  for (Operation *op : network.ops)
    for (Value operand : op->getOperands())
      if (isWeight(operand))
        weights.insert(operand);
  SmallVector<Value> stacked;
  for (Value weight : weights)
    stacked.push_back(stackOf(rewriter, weight, shape.experts));
  auto moe = MoeOp::create(rewriter, down.getLoc(), down.getType(), network.input, router, /*router_bias=*/Value(),
                           /*selection_bias=*/Value(), stacked, normalisedRouting(rewriter.getContext(), shape.topK));
  IRMapping mapping;
  Block *entry = rewriter.createBlock(&moe.getExpert());
  mapping.map(network.input, entry->addArgument(network.input.getType(), down.getLoc()));
  for (Value weight : weights)
    mapping.map(weight, entry->addArgument(weight.getType(), weight.getLoc()));
  FeedForwardUnits units{{}, {}, moe, {}, nullptr};
  for (Operation *op : network.ops) {
    Operation *copy = rewriter.clone(*op, mapping);
    if (op == down)
      units.down = cast<LinearOp>(copy);
  }
  units.hidden = units.down.getInput();
  units.at = units.hidden.getDefiningOp();
  YieldOp::create(rewriter, down.getLoc(), ValueRange{units.down.getResult()});
  rewriter.replaceAllUsesWith(down.getResult(), moe.getResult());
  for (Operation *op : llvm::reverse(network.ops))
    rewriter.eraseOp(op);
  return units;
}

} // namespace xfmr
