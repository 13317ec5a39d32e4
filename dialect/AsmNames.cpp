// How values are named in printed IR: weights after their tensor, projections after their weight, the residual
// stream by how many sums it has passed.
#include "dialect/AsmNames.h"
#include "dialect/Structure.h"
#include "dialect/Xfmr.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace xfmr {
namespace {

bool isNumber(StringRef text) { return !text.empty() && llvm::all_of(text, llvm::isDigit); }

// "model.layers.0.self_attn.q_proj.bias" -> "q_proj_bias"; "…experts.3.up_proj.weight" -> "up_proj_3".
std::string tensorName(StringRef tensor) {
  tensor.consume_back(".weight");
  SmallVector<StringRef> parts;
  tensor.split(parts, '.');
  StringRef last = parts.pop_back_val();
  StringRef parent = parts.empty() ? StringRef() : parts.pop_back_val();
  StringRef grandparent = parts.empty() ? StringRef() : parts.back();
  if (last == "bias" || last.starts_with("lora_") || (isNumber(last) && !parent.empty()))
    return (parent + "_" + last).str();
  if (isNumber(parent) && grandparent == "experts")
    return (last + "_" + parent).str();
  return last.str();
}

// Whether the maker of an operand may be looked at, if it has one: in a region without an order, as a module's, and in IR that nobody
// has verified yet, values go round, so only what stands in front of the reader is.
bool isInFront(Value operand, Operation *reader) {
  Operation *maker = operand.getDefiningOp();
  if (!maker)
    return true;
  return maker->getBlock() == reader->getBlock() ? maker->isBeforeInBlock(reader) : !maker->isProperAncestor(reader);
}

std::string weightName(Value weight);

std::string withoutProj(StringRef name) {
  name.consume_back("_proj");
  return name.str();
}

std::string concatName(WeightConcatOp op) {
  if (op.getInputs().size() > 3)
    return "concat";
  auto name = [&](Value v) { return isInFront(v, op) ? withoutProj(weightName(v)) : std::string("w"); };
  return llvm::join(llvm::map_range(op.getInputs(), name), "_");
}

// "up_proj_0" of the first expert names what all experts stack to.
std::string withoutIndex(StringRef name) {
  auto [stem, index] = name.rsplit('_');
  return isNumber(index) ? stem.str() : name.str();
}

// The stacked weight behind an argument of an expert region, else the value itself.
Value throughExpert(Value weight) {
  auto argument = dyn_cast<BlockArgument>(weight);
  auto moe = argument ? dyn_cast<MoeOp>(argument.getOwner()->getParentOp()) : MoeOp();
  Value stacked = moe ? moe.getStacked(weight) : Value();
  return stacked ? stacked : weight;
}

// Follows first operands down to a tensor; stops at whatever has no name of its own.
std::string rootName(Value weight) {
  Operation *op = throughExpert(weight).getDefiningOp();
  if (!op)
    return "w";
  if (auto tensor = dyn_cast<WeightOp>(op))
    return tensorName(tensor.getTensorName());
  if (auto concat = dyn_cast<WeightConcatOp>(op))
    return concatName(concat);
  if (op->getNumOperands() == 0 || !isInFront(throughExpert(op->getOperand(0)), op))
    return "w";
  std::string inner = rootName(op->getOperand(0));
  return isa<WeightStackOp>(op) ? withoutIndex(inner) : inner;
}

std::string weightName(Value weight) {
  auto op = weight.getDefiningOp<WeightExpressionOpInterface>();
  return op ? rootName(weight) + op.getNameSuffix() : rootName(weight);
}

bool isLogits(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    return isa<YieldOp>(user) && isa_and_present<ModelOp>(user->getParentOp());
  });
}

// How many residual sums a value has passed since the start of its block; -1 off the residual stream.
int residualDepth(Value value) {
  int depth = 0;
  while (auto sum = value.getDefiningOp<AddOp>()) {
    bool leftIsStream = isa<BlockArgument>(sum.getLhs()) || sum.getLhs().getDefiningOp<AddOp>();
    value = leftIsStream ? sum.getLhs() : sum.getRhs();
    ++depth;
    if (!isInFront(value, sum))
      return -1;
  }
  Operation *start = value.getDefiningOp();
  return !start || isa<EmbeddingOp, BlockOp>(start) ? depth : -1;
}

std::string activationName(Value value);

std::string inputName(Value input, Operation *reader) { return isInFront(input, reader) ? activationName(input) : "h"; }

std::string linearName(LinearOp op) {
  if (isLogits(op.getResult()))
    return "logits";
  std::string weight = rootName(op.getWeight());
  std::string stripped = withoutProj(weight);
  return stripped == weight ? weight + "_out" : stripped;
}

std::string splitName(OpResult part) {
  const ProjectedRows rows = projectedRowsOf(part);
  auto concat = rows ? LinearOp(rows.linear).getWeight().getDefiningOp<WeightConcatOp>() : WeightConcatOp();
  if (!concat || concat.getInputs().size() != part.getOwner()->getNumResults())
    return "part";
  return withoutProj(rootName(concat.getInputs()[part.getResultNumber()]));
}

std::string normName(RmsNormOp op) {
  Value input = op.getInput(), weight = op.getWeight();
  bool perHead = input.getType() != weight.getType() &&
                 cast<RankedTensorType>(input.getType()).getShape().back() !=
                     cast<RankedTensorType>(weight.getType()).getShape().back();
  return perHead ? inputName(input, op) + "_normed" : "normed";
}

std::string addName(AddOp op) {
  int depth = residualDepth(op.getResult());
  return depth > 0 ? "h" + std::to_string(depth) : inputName(op.getLhs(), op) + "_sum";
}

// What a region yields gives the result its name.
std::string fusedName(FusedOp op, unsigned number) {
  Operation *last = op.getBody().empty() || op.getBody().front().empty() ? nullptr : &op.getBody().front().back();
  bool known = isa_and_present<YieldOp>(last) && number < last->getNumOperands() &&
               last->getOperand(number).getDefiningOp() && !last->getOperand(number).getDefiningOp<FusedOp>();
  return known ? activationName(last->getOperand(number)) : "fused";
}

std::string activationName(Value value) {
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return "h";
  return TypeSwitch<Operation *, std::string>(result.getOwner())
      .Case<LinearOp>(linearName)
      .Case<SplitOp>([&](auto) { return splitName(result); })
      .Case<RmsNormOp>(normName)
      .Case<LayerNormOp>([](auto) { return "normed"; })
      .Case<RopeOp>([](RopeOp r) { return inputName(r.getInput(), r) + "_rope"; })
      .Case<AttentionOp, CachedAttentionOp, CachedLatentAttentionOp, CrossAttentionOp>([](auto) { return "attn"; })
      .Case<ActivationOp>([](ActivationOp a) { return stringifyActivationKind(a.getKind()).str(); })
      .Case<AddOp>(addName)
      .Case<MulOp>([](MulOp m) {
        return hiddenLayerOf(m) ? "gated" : "product";
      })
      .Case<ScaleOp>([](ScaleOp s) { return inputName(s.getInput(), s) + "_scaled"; })
      .Case<EmbeddingOp>([](auto) { return "x0"; })
      .Case<FusedOp>([&](FusedOp f) { return fusedName(f, result.getResultNumber()); })
      .Case<BlockOp>([](BlockOp b) { return "x" + std::to_string(b.getLayer() + 1); })
      .Default([](Operation *op) { return op->getName().stripDialect().str(); });
}

} // namespace

void nameResults(Operation *op, OpAsmSetValueNameFn setName) {
  for (OpResult result : op->getResults()) {
    if (auto reference = dyn_cast<BufferRefOp>(op))
      setName(result, reference.getBuffer());
    else if (isa<WeightExpressionOpInterface>(op))
      setName(result, weightName(result));
    else
      setName(result, activationName(result));
  }
}

// Of a model the source, if there is one, and the tokens; of a block what goes through it, and what an encoder left.
static StringRef nameOfArgument(Operation *parent, unsigned number) {
  if (isa<ModelOp>(parent))
    return number + 1 < parent->getRegion(0).getNumArguments() ? "source" : "tokens";
  return number == 0 ? "h" : "memory";
}

void nameBlockArguments(Region &region, OpAsmSetValueNameFn setName) {
  Operation *parent = region.getParentOp();
  if (region.empty() || !isa<ModelOp, BlockOp, MoeOp, FusedOp>(parent))
    return;
  for (BlockArgument argument : region.front().getArguments())
    if (isa<MoeOp>(parent))
      setName(argument, argument.getArgNumber() == 0 ? "t" : rootName(argument));
    else if (auto fused = dyn_cast<FusedOp>(parent)) // the value from outside, by its name there
      setName(argument, argument.getArgNumber() < fused.getInputs().size()
                            ? activationName(fused.getInputs()[argument.getArgNumber()])
                            : "h");
    else
      setName(argument, nameOfArgument(parent, argument.getArgNumber()));
}

} // namespace xfmr
