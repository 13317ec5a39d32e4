// See Interpreter.h. Ops run in the order of their block. Weight expressions are skipped there and
// evaluated when an op first needs them: those that hang on a region's arguments live with the
// region's values, the others in the interpreter's cache.
#include "reference/Interpreter.h"
#include "reference/Registry.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace xfmr::reference {

// "xfmr.linear at tiny.mlir:12:8", for messages.
static std::string describe(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op->getName();
  if (!isa<UnknownLoc>(op->getLoc()))
    stream << " at " << op->getLoc();
  return text;
}

static Status at(Operation *op, const Status &status) {
  return Status::error(describe(op) + ": " + status.message());
}

// Results must have the extents of their types: [T, N] with any T for activations.
static Status checkResults(Operation *op, const Values &values) {
  for (Value result : op->getResults()) {
    auto found = values.find(result);
    if (found == values.end())
      return at(op, Status::error("the interpreter gave no result"));
    auto type = cast<RankedTensorType>(result.getType());
    const std::vector<int64_t> &shape = found->second->shape;
    bool fits = static_cast<int64_t>(shape.size()) == type.getRank() &&
                found->second->values.size() == Tensor::count(shape);
    for (size_t axis = 0; fits && axis < shape.size(); ++axis)
      fits = type.isDynamicDim(axis) || type.getDimSize(axis) == shape[axis];
    if (!fits) {
      std::string text;
      llvm::raw_string_ostream(text)
          << "the result has shape " << shapeText(shape) << ", expected " << type;
      return at(op, Status::error(text));
    }
  }
  return Status::success();
}

TensorRef Evaluation::ref(Value value) const {
  if (auto found = values_.find(value); found != values_.end())
    return found->second;
  return interpreter_.weights_.find(value)->second; // need() has put it there
}

Status Evaluation::runRegion(Region &region, ArrayRef<TensorRef> arguments, bool inherit,
                             std::vector<TensorRef> &results) {
  Block &block = region.front();
  if (arguments.size() != block.getNumArguments())
    return Status::error("a region with " + std::to_string(block.getNumArguments()) +
                         " arguments was given " + std::to_string(arguments.size()));
  Values inner;
  if (inherit)
    inner = values_;
  for (auto [argument, tensor] : llvm::zip(block.getArguments(), arguments))
    inner[argument] = tensor;
  Operation *yield = &block.back();
  if (Status status = interpreter_.runRange(&block.front(), yield, context_, inner); status.failed())
    return status;
  Evaluation view(interpreter_, context_, inner);
  results.clear();
  for (Value value : yield->getOperands())
    results.push_back(view.ref(value));
  return Status::success();
}

Status Evaluation::findTensor(StringRef source, StringRef name, const TensorView *&out) const {
  return interpreter_.find_(source, name, out);
}

bool Evaluation::observesInner() const { return bool(interpreter_.observer_.inner); }

void Evaluation::observeInner(Operation *op, StringRef name, const Tensor &tensor) const {
  if (observesInner())
    interpreter_.observer_.inner(op, name, tensor);
}

Status Interpreter::run(ArrayRef<int32_t> ids, Tensor &logits) {
  Context context;
  return extend(context, ids, logits);
}

static TensorRef tokensOf(ArrayRef<int32_t> ids) {
  Tensor tokens({static_cast<int64_t>(ids.size())});
  for (auto [value, id] : llvm::zip(tokens.values, ids))
    value = id;
  return share(std::move(tokens));
}

Status Interpreter::extend(Context &context, ArrayRef<int32_t> ids, Tensor &logits) {
  if (ids.empty())
    return Status::error("no token ids to run the model on");
  Block &body = model_.getBody().front();
  Operation *first = &body.front();
  if (model_.getSource()) {
    if (Status status = encode(context); status.failed())
      return status;
    first = model_.getDecoderBegin();
  }
  Values values = context.encoded;
  values[model_.getTokens()] = tokensOf(ids);
  if (Status status = runRange(first, &body.back(), context, values); status.failed())
    return status;
  logits = Evaluation(*this, context, values).get(body.back().getOperand(0));
  context.position += static_cast<int64_t>(ids.size());
  return Status::success();
}

// The ops in front of the decoder, once: what they leave is there for every later run.
Status Interpreter::encode(Context &context) {
  if (!context.encoded.empty())
    return Status::success();
  if (context.source.empty())
    return Status::error("the model reads a source and none was given");
  Operation *begin = model_.getDecoderBegin();
  if (!begin || begin == &model_.getBody().front().front())
    return Status::error("the model has a source but no encoder in front of its decoder");
  context.encoded[model_.getSource()] = tokensOf(context.source);
  Context own; // stands at position 0, whatever the decoder has read
  return runRange(&model_.getBody().front().front(), begin->getPrevNode(), own, context.encoded);
}

Status Interpreter::runBlock(BlockOp block, ArrayRef<TensorRef> inputs,
                             std::vector<TensorRef> &results) {
  Context context;
  Values outside;
  return Evaluation(*this, context, outside)
      .runRegion(block.getBody(), inputs, /*inherit=*/false, results);
}

Status Interpreter::runRange(Operation *first, Operation *last, Context &context, Values &values) {
  for (Operation *op = first;; op = op->getNextNode()) {
    if (Status status = runOp(op, context, values); status.failed())
      return status;
    if (op == last)
      return Status::success();
  }
}

Status Interpreter::runOp(Operation *op, Context &context, Values &values) {
  const bool yields = isa<YieldOp>(op);
  const OpEntry *entry = yields ? nullptr : findOp(op);
  if (!yields && !entry)
    return at(op, Status::error("the interpreter does not know this op"));
  if (!yields && entry->isWeight)
    return Status::success();
  for (Value operand : op->getOperands())
    if (Status status = need(operand, context, values); status.failed())
      return status;
  if (yields)
    return Status::success();
  Evaluation evaluation(*this, context, values);
  if (Status status = entry->evaluate(op, evaluation); status.failed())
    return isa<BlockOp>(op) ? status : at(op, status); // a block's error names the op inside
  if (Status status = checkResults(op, values); status.failed())
    return status;
  if (observer_.result)
    for (OpResult result : op->getResults())
      observer_.result(result, *values.find(result)->second);
  return Status::success();
}

Status Interpreter::need(Value value, Context &context, Values &values) {
  if (values.count(value) || weights_.count(value))
    return Status::success();
  Operation *op = value.getDefiningOp();
  const OpEntry *entry = op ? findOp(op) : nullptr;
  if (!entry || !entry->isWeight)
    return Status::error("a value was used that nothing gave" +
                         (op ? ": result of " + describe(op) : std::string()));
  return evaluateWeight(value, context, values);
}

Status Interpreter::weight(Value expression, TensorRef &out) {
  Context context;
  Values none;
  if (Status status = need(expression, context, none); status.failed())
    return status;
  out = weights_.find(expression)->second;
  return Status::success();
}

// Depth first with a stack of its own, so that no chain of expressions is too long. Values between
// stored tensors and `root` are dropped.
Status Interpreter::evaluateWeight(Value root, Context &context, Values &values) {
  Values between;
  bool bound = false; // hangs on a region's argument
  std::vector<Operation *> stack = {root.getDefiningOp()};
  while (!stack.empty()) {
    Operation *op = stack.back();
    if (between.count(op->getResult(0))) {
      stack.pop_back();
      continue;
    }
    const size_t depth = stack.size();
    for (Value operand : op->getOperands()) {
      if (between.count(operand))
        continue;
      if (auto found = values.find(operand); found != values.end()) {
        bound = true;
        between[operand] = found->second;
      } else if (auto cached = weights_.find(operand); cached != weights_.end()) {
        between[operand] = cached->second;
      } else {
        Operation *source = operand.getDefiningOp();
        const OpEntry *entry = source ? findOp(source) : nullptr;
        if (!entry || !entry->isWeight)
          return at(op, Status::error("an operand is no weight expression"));
        stack.push_back(source);
      }
    }
    if (stack.size() > depth)
      continue;
    Evaluation evaluation(*this, context, between);
    if (Status status = findOp(op)->evaluate(op, evaluation); status.failed())
      return at(op, status);
    if (Status status = checkResults(op, between); status.failed())
      return status;
    stack.pop_back();
  }
  (bound ? values : weights_)[root] = between[root];
  return Status::success();
}

} // namespace xfmr::reference
