// Both streams are moved on by the calibration's forward pass, a chunk of windows at a time.
#include "passes/transforms/prune/Streams.h"

#include "passes/calibration/ModelData.h"
#include "passes/calibration/Parallel.h"
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
  auto advance = [&](Value from, MatrixF given, Stream &out) {
    Activations known;
    known[from] = std::move(given);
    if (failed(forward_.evaluate(input, window(), known)))
      return failure();
    out.emplace_back(std::move(known.find(input)->second));
    return success();
  };
  if (previous_) {
    for (auto [left, stream] : {std::pair(&denseLeft_, &dense_), {&prunedLeft_, &pruned_}}) {
      for (MatrixF &chunk : *left)
        if (failed(advance(previous_.getResult(0), std::move(chunk), *stream)))
          return failure();
      left->clear();
    }
    return success();
  }
  for (int64_t first = 0; first < windows_.count(); first += kChunkWindows)
    if (failed(advance(model_.getTokens(), windows_.column(first, kChunkWindows), dense_)))
      return failure();
  if (options_.prunedPath())
    pruned_ = dense_;
  return success();
}

LogicalResult PruneStreams::leave(BlockOp block, BlockOp dense) {
  auto yielded = [](BlockOp op) { return op.getBody().front().getTerminator()->getOperand(0); };
  for (BlockValues &chunk : dense_)
    if (failed(value(chunk, yielded(dense), denseLeft_.emplace_back())))
      return failure();
  if (options_.prunedPath() && !changed_)
    prunedLeft_ = denseLeft_;
  else
    for (BlockValues &chunk : pruned_)
      if (failed(value(chunk, yielded(block), prunedLeft_.emplace_back())))
        return failure();
  dense_.clear(); // the ops of the dense copy go
  pruned_.clear();
  previous_ = block;
  return success();
}

void PruneStreams::keepOnlyBefore(Value input) {
  for (BlockValues &chunk : pruned_)
    chunk.keepOnlyBefore(input);
}

LogicalResult PruneStreams::value(BlockValues &known, Value value, MatrixF &out) {
  const MatrixF *found = nullptr;
  if (failed(known.find(forward_, window(), value, found)))
    return failure();
  out = *found;
  return success();
}

LogicalResult PruneStreams::dense(size_t chunk, Value wanted, MatrixF &out) { return value(dense_[chunk], wanted, out); }
LogicalResult PruneStreams::pruned(size_t chunk, Value wanted, MatrixF &out) { return value(pruned_[chunk], wanted, out); }

// Inputs come first: they are dropped when what reads them is known.
LogicalResult PruneStreams::wantedOutput(size_t chunk, Value output, Value denseOutput, Value input, Value denseInput,
                                         MatrixF &target, MatrixF &inputs) {
  const Joined joined = followSum(output), denseJoined = followSum(denseOutput);
  const bool corrects = differ() && joined.joins;
  if (failed(differ() ? pruned(chunk, input, inputs) : dense(chunk, denseInput, inputs)) ||
      failed(dense(chunk, corrects ? denseJoined.result : denseOutput, target)))
    return failure();
  if (!corrects)
    return success();
  MatrixF sum, own;
  if (failed(pruned(chunk, output, own)) || failed(pruned(chunk, joined.result, sum)))
    return failure();
  const float factor = 1.0f / static_cast<float>(joined.factor);
  parallelRows(target.rows(), 64, [&](int64_t first, int64_t rows) {
    auto part = target.middleRows(first, rows);
    part = (part - sum.middleRows(first, rows)) * factor + own.middleRows(first, rows);
  });
  return success();
}

std::optional<double> PruneStreams::distance() const {
  if (prunedLeft_.empty() || prunedLeft_.size() != denseLeft_.size())
    return std::nullopt;
  double difference = 0, size = 0;
  for (auto [dense, pruned] : llvm::zip(denseLeft_, prunedLeft_)) {
    difference += (pruned - dense).cast<double>().squaredNorm();
    size += dense.cast<double>().squaredNorm();
  }
  return size > 0 ? std::optional(difference / size) : std::nullopt;
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
