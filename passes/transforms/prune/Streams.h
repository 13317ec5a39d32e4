// The residual streams of the dense and the pruned model side by side, block by block: what calibration text gives on the way
// into the current block, and what values of the block are from there.
#pragma once

#include "passes/PruneOptions.h"
#include "passes/calibration/CalibrationText.h"
#include "passes/calibration/Forward.h"
#include "passes/calibration/StatisticsFile.h"
#include "passes/transforms/prune/BlockValues.h"

namespace xfmr {

class PruneStreams {
public:
  PruneStreams(ModelOp model, const CalibrationOptions &options) : model_(model), options_(options), forward_(sources_) {}

  /// Opens weights, text and statistics as far as the options need them.
  mlir::LogicalResult open();
  /// A text runs through the model.
  bool running() const { return windows_.count() > 0; }
  /// Statistics of xfmr-calibrate stand for a text, or null.
  const StatisticsFile *statistics() const { return statistics_ ? &*statistics_ : nullptr; }
  Forward &forward() { return forward_; }
  int64_t window() const { return windows_.length; }

  /// To the residual at the block's input, from the one after the block before.
  mlir::LogicalResult enter(BlockOp block);
  /// Through the block: the dense stream by its dense copy, the pruned one by the block as it is now.
  mlir::LogicalResult leave(BlockOp block, BlockOp dense);

  /// Before ops behind `input`, a value of the current block, are changed, erased or given other weights: what is known on
  /// the pruned path is forgotten, but for what `input` depends on.
  void keepOnlyBefore(mlir::Value input);
  /// Something has been cut: from here on the pruned stream is another one, if it counts.
  void markChanged() { changed_ = true; }
  bool differ() const { return options_.prunedPath() && changed_; }

  size_t chunks() const { return dense_.size(); }
  /// A value of the current block on one of the paths.
  mlir::LogicalResult dense(size_t chunk, mlir::Value value, MatrixF &out);
  mlir::LogicalResult pruned(size_t chunk, mlir::Value value, MatrixF &out);

  /// The value that a module must give so that the sum it joins meets that of the dense model: `target` for its `output`;
  /// and `inputs`, the value `input` of the block on the path that counts.
  mlir::LogicalResult wantedOutput(size_t chunk, mlir::Value output, mlir::Value denseOutput, mlir::Value input,
                                   mlir::Value denseInput, MatrixF &target, MatrixF &inputs);
  /// After the last block: squared distance of the streams over the square of the dense one. Nothing where only one runs.
  std::optional<double> distance() const;
  /// Sum of squares of the dense residual right after a module.
  mlir::LogicalResult residualSquares(mlir::Value output, double &squares);

private:
  using Stream = std::vector<BlockValues>; // of the current block, one a chunk of windows
  mlir::LogicalResult value(BlockValues &known, mlir::Value value, MatrixF &out);
  mlir::LogicalResult error(const Status &status) { return model_.emitError(status.message()); }

  ModelOp model_;
  const CalibrationOptions &options_;
  WeightSources sources_;
  Forward forward_;
  TokenWindows windows_;
  std::optional<StatisticsFile> statistics_;
  Stream dense_, pruned_;
  std::vector<MatrixF> denseLeft_, prunedLeft_; // what left the block before, one a chunk
  bool changed_ = false;
  BlockOp previous_;

  static constexpr int64_t kChunkWindows = 8;
};

} // namespace xfmr
