// Both streams are moved on by the calibration's forward pass, a chunk of windows at a time.
#include "passes/transforms/prune/Streams.h"

#include "passes/calibration/ModelData.h"
#include "passes/calibration/criteria/Criterion.h"

using namespace mlir;

namespace xfmr {
namespace {

// The sum that a module's output y joins: result = factor * y + what the residual and other modules add.
struct Joined {
  Value result;
  double factor = 1;
  bool joins = false; // an add lies on the way
};

Joined followSum(Value output) {
  Joined joined{output};
  while (joined.result.hasOneUse()) {
    Operation *user = *joined.result.getUsers().begin();
    if (auto scale = dyn_cast<ScaleOp>(user))
      joined.factor *= scale.getFactor().convertToDouble();
    else if (isa<AddOp>(user))
      joined.joins = true;
    else
      break;
    joined.result = user->getResult(0);
  }
  return joined;
}

// The residual that enters the block around a value.
Value blockArgument(Value value) {
  Operation *op = value.getParentRegion()->getParentOp();
  auto block = dyn_cast<BlockOp>(op);
  return (block ? block : op->getParentOfType<BlockOp>()).getBody().getArgument(0);
}

} // namespace

LogicalResult PruneStreams::open() {
  if (!criterionOf(options_.method).readsWeight() && !options_.needsActivations() && options_.texts.empty())
    return success();
  if (Status status = openSources(model_, sources_); status.failed())
    return error(status);
  if (!options_.texts.empty())
    if (Status status = readCalibration(model_, options_.texts, options_.window, windows_); status.failed())
      return error(status);
  if (!options_.statistics.empty())
    if (Status status = statistics_.emplace().read(options_.statistics, fingerprintOf(model_, sources_));
        status.failed())
      return error(status);
  return success();
}

LogicalResult PruneStreams::enter(BlockOp block) {
  if (block.getInputs().size() != 1 || block.getNumResults() != 1)
    return block.emitError("calibration needs blocks of one input and one result");
  Value input = block.getInputs().front();
  if (previous_) {
    for (Stream *stream : {&dense_, &pruned_})
      for (MatrixF &chunk : *stream) {
        Activations known;
        known[previous_.getResult(0)] = std::move(chunk);
        if (failed(forward_.evaluate(input, window(), known)))
          return failure();
        chunk = std::move(known.find(input)->second);
      }
    return success();
  }
  for (int64_t first = 0; first < windows_.count(); first += kChunkWindows) {
    Activations known;
    known[model_.getTokens()] = windows_.column(first, kChunkWindows);
    if (failed(forward_.evaluate(input, window(), known)))
      return failure();
    dense_.push_back(std::move(known.find(input)->second));
  }
  if (options_.prunedPath())
    pruned_ = dense_;
  return success();
}

LogicalResult PruneStreams::leave(BlockOp block, BlockOp dense) {
  for (auto [stream, through] : {std::pair<Stream *, BlockOp>{&dense_, dense}, {&pruned_, block}})
    for (MatrixF &chunk : *stream) {
      Activations known;
      known[through.getBody().getArgument(0)] = std::move(chunk);
      Value yielded = through.getBody().front().getTerminator()->getOperand(0);
      if (failed(forward_.evaluate(yielded, window(), known)))
        return failure();
      chunk = std::move(known.find(yielded)->second);
    }
  previous_ = block;
  return success();
}

LogicalResult PruneStreams::value(const MatrixF &entering, Value value, MatrixF &out) {
  Activations known;
  known[blockArgument(value)] = entering;
  if (failed(forward_.evaluate(value, window(), known)))
    return failure();
  out = std::move(known.find(value)->second);
  return success();
}

LogicalResult PruneStreams::dense(size_t chunk, Value wanted, MatrixF &out) { return value(dense_[chunk], wanted, out); }
LogicalResult PruneStreams::pruned(size_t chunk, Value wanted, MatrixF &out) { return value(pruned_[chunk], wanted, out); }

LogicalResult PruneStreams::wantedOutput(size_t chunk, Value output, Value denseOutput, Value input, Value denseInput,
                                         MatrixF &target, MatrixF &inputs) {
  const Joined joined = followSum(output), denseJoined = followSum(denseOutput);
  const bool corrects = differ() && joined.joins;
  Activations known;
  known[blockArgument(denseInput)] = dense_[chunk];
  auto find = [&](Value value, MatrixF &found) {
    if (failed(forward_.evaluate(value, window(), known)))
      return failure();
    found = known.find(value)->second;
    return success();
  };
  if (failed(find(corrects ? denseJoined.result : denseOutput, target)))
    return failure();
  if (!differ())
    return find(denseInput, inputs);
  known.clear();
  known[blockArgument(input)] = pruned_[chunk];
  if (failed(find(input, inputs)))
    return failure();
  if (!corrects)
    return success();
  MatrixF sum, own;
  if (failed(find(output, own)) || failed(find(joined.result, sum)))
    return failure();
  target = (target - sum) / static_cast<float>(joined.factor) + own;
  return success();
}

LogicalResult PruneStreams::residualSquares(Value output, double &squares) {
  Value after = followSum(output).result;
  squares = 0;
  for (size_t chunk = 0; chunk < chunks(); ++chunk) {
    MatrixF residual;
    if (failed(dense(chunk, after, residual)))
      return failure();
    squares += residual.cast<double>().squaredNorm();
  }
  return success();
}

} // namespace xfmr
