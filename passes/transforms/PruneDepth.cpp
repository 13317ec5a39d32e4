// See PruneDepth.h.
#include "passes/transforms/PruneDepth.h"

#include "passes/calibration/Forward.h"
#include "passes/calibration/LeastSquares.h"
#include "passes/calibration/ModelData.h"
#include "passes/transforms/PruneUnits.h"

using namespace mlir;

namespace xfmr {
namespace {

// 1 - mean over tokens of the cosine between what enters and what leaves each block.
LogicalResult blockInfluence(ModelOp model, const DepthRequest &request, std::vector<double> &influence) {
  if (request.texts.empty())
    return model.emitError("method=influence needs a calibration text (text=FILE)");
  WeightSources sources;
  TokenWindows windows;
  Status status = openSources(model, sources);
  if (status.ok())
    status = readCalibration(model, request.texts, request.window, windows);
  if (status.failed())
    return model.emitError(status.message());
  SmallVector<BlockOp> blocks(model.getBody().getOps<BlockOp>());
  influence.assign(blocks.size(), 0);
  Forward forward(sources);
  for (int64_t window = 0; window < windows.count(); ++window) {
    Activations known;
    known[model.getTokens()] = windows.column(window, 1);
    for (auto [index, block] : llvm::enumerate(blocks)) {
      if (block.getInputs().size() != 1 || block.getNumResults() != 1)
        return block.emitError("calibration needs blocks of one input and one result");
      if (failed(forward.evaluate(block.getResult(0), windows.length, known)))
        return failure();
      const MatrixF &x = known.find(block.getInputs().front())->second, &y = known.find(block.getResult(0))->second;
      for (Eigen::Index row = 0; row < x.rows(); ++row)
        influence[index] += 1 - x.row(row).dot(y.row(row)) / (x.row(row).norm() * y.row(row).norm());
    }
  }
  for (double &value : influence)
    value /= static_cast<double>(windows.ids.size());
  return success();
}

} // namespace

FailureOr<SmallVector<BlockOp>> blocksToRemove(ModelOp model, const DepthRequest &request) {
  SmallVector<BlockOp> all(model.getBody().getOps<BlockOp>());
  const int64_t present = all.size(), keep = request.keep;
  ArrayRef<int64_t> layers = request.layers;
  if (layers.empty() == (keep == 0))
    return model.emitError("expected either layers or keep");
  SmallVector<BlockOp> gone;
  if (!layers.empty()) {
    FailureOr<SmallVector<BlockOp>> named = blocksOf(model, layers);
    if (failed(named))
      return failure();
    gone = *named;
    if (static_cast<int64_t>(gone.size()) == present)
      return model.emitError("cannot remove all ") << present << " layers";
  } else {
    if (keep < 1 || keep > present)
      return model.emitError("cannot keep ") << keep << " layers, expected 1 to " << present;
    if (request.method == LayerMethod::first) {
      gone.assign(all.begin() + keep, all.end());
    } else {
      std::vector<double> influence;
      if (failed(blockInfluence(model, request, influence)))
        return failure();
      const Indices kept = keepLargest(influence, keep);
      for (auto [index, block] : llvm::enumerate(all))
        if (!llvm::is_contained(kept, static_cast<int64_t>(index)))
          gone.push_back(block);
    }
  }
  for (BlockOp block : gone)
    if (block.getInputs().getTypes() != block.getResultTypes())
      return block.emitError("a block whose results are not of its inputs' types cannot be removed");
  return gone;
}

} // namespace xfmr
