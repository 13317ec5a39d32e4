// See Streams.h. The weights of one block are held at a time.
#include "tools/xfmr-inspect/look/Streams.h"

#include "weights/Summary.h"

using namespace mlir;

namespace xfmr::inspect {

std::vector<LookBatch> batchesOf(const LookText &text) {
  constexpr int64_t kRows = 2048;
  std::vector<LookBatch> batches;
  for (const LookWindow &window : text.windows) {
    LookBatch *last = batches.empty() ? nullptr : &batches.back();
    if (last && last->window == window.count && last->rows + window.count <= kRows)
      last->rows += window.count;
    else
      batches.push_back({window.count, window.first, window.count, false});
  }
  if (const auto count = static_cast<int64_t>(text.repeated.size()))
    batches.push_back({count, text.rows(), count, true});
  return batches;
}

std::vector<char> addedTokens(const LookText &text, const LookBatch &batch) {
  std::vector<char> added(batch.rows, 0);
  for (const LookWindow &window : text.windows)
    if (window.first >= batch.first && window.first < batch.first + batch.rows) {
      added[window.first - batch.first] |= window.begins;
      added[window.first - batch.first + window.count - 1] |= window.ends;
    }
  return added;
}

LogicalResult runStreams(ModelOp model, const LookText &text, ArrayRef<LookBatch> batches, Forward &forward,
                         std::vector<MatrixF> &out) {
  std::vector<int32_t> ids = text.ids;
  ids.insert(ids.end(), text.repeated.begin(), text.repeated.end());
  const MatrixF tokens = idColumn(ids);
  auto blocks = llvm::to_vector(model.getBody().getOps<BlockOp>());
  Value at = model.getTokens();
  out.clear();
  for (size_t place = 0; place <= blocks.size(); ++place) {
    for (BlockOp block : blocks)
      if (block.getInputs().size() != 1 || block.getNumResults() != 1)
        return block.emitError("looking into a model needs blocks of one input and one result");
    Value next = place < blocks.size() ? blocks[place].getInputs().front() : blocks.back().getResult(0);
    MatrixF rows(tokens.rows(), cast<RankedTensorType>(next.getType()).getDimSize(1));
    for (const LookBatch &batch : batches) {
      Activations known;
      known[at] = (place ? out.back() : tokens).middleRows(batch.first, batch.rows);
      if (failed(forward.evaluate(next, batch.window, known)))
        return failure();
      rows.middleRows(batch.first, batch.rows) = known.find(next)->second;
    }
    forward.forgetWeights();
    reportProgress(model.getContext(), "running block", static_cast<int64_t>(place),
                   static_cast<int64_t>(blocks.size()));
    out.push_back(std::move(rows));
    at = next;
  }
  return success();
}

} // namespace xfmr::inspect
