// See Sequence.h.
#include "passes/calibration/Sequence.h"

using namespace mlir;

namespace xfmr {

std::vector<Sequence> sequencesOf(const TokenWindows &windows) {
  constexpr int64_t kChunkWindows = 8;
  std::vector<Sequence> sequences;
  for (int64_t first = 0; first < windows.count(); first += kChunkWindows)
    sequences.push_back({windows.length, windows.column(first, kChunkWindows)});
  return sequences;
}

LogicalResult run(Value from, Value until, ModelOp model, Forward &forward, MutableArrayRef<Sequence> sequences) {
  Value at = from;
  bool started = from == model.getTokens();
  for (BlockOp block : model.getBody().getOps<BlockOp>()) {
    if (at == until)
      return success();
    if (block.getInputs().size() != 1 || block.getNumResults() != 1)
      return block.emitError("calibration needs blocks of one input and one result");
    started |= block.getInputs().front() == from;
    if (!started) {
      started = block.getResult(0) == from;
      continue;
    }
    Value next = block.getInputs().front() == until ? until : block.getResult(0);
    for (Sequence &sequence : sequences) {
      Activations known;
      known[at] = std::move(sequence.values);
      if (failed(forward.evaluate(next, sequence.window, known)))
        return failure();
      sequence.values = std::move(known.find(next)->second);
    }
    forward.forgetWeights();
    at = next;
  }
  return success();
}

LogicalResult runTo(BlockOp wanted, ModelOp model, Forward &forward, MutableArrayRef<Sequence> sequences) {
  Value until = wanted ? Value(wanted.getInputs().front()) : Value();
  return run(model.getTokens(), until, model, forward, sequences);
}

LogicalResult valueIn(BlockOp block, Value value, Forward &forward, const Sequence &sequence, MatrixF &out) {
  Activations known;
  known[block.getBody().getArgument(0)] = sequence.values;
  if (failed(forward.evaluate(value, sequence.window, known)))
    return failure();
  out = std::move(known.find(value)->second);
  return success();
}

} // namespace xfmr
