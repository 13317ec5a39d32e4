// Carries out a pruning plan block by block, with the residual streams of the dense and the pruned model side by side.
#pragma once

#include "passes/calibration/ModelData.h"
#include "passes/calibration/RepairedWeights.h"
#include "passes/calibration/UnitStatistics.h"
#include "passes/transforms/PruneModel.h"

namespace xfmr {

/// Whether a request for networks at `where` means this one.
bool isMeant(const FeedForwardUnits &units, FfnPlace where);

/// The sum that a module's output y joins: result = factor * y + what the residual and other modules add.
struct Joined {
  mlir::Value result;
  double factor = 1;
  bool joins = false; // an add lies on the way
};
Joined followSum(mlir::Value output);

/// The residual entering one block: one matrix a chunk of windows.
using Stream = std::vector<MatrixF>;

class PruneWalk {
public:
  PruneWalk(ModelOp model, const CalibrationOptions &options, bool mask, CutCounts &counts)
      : model_(model), options_(options), mask_(mask), counts_(counts), rewriter_(model.getContext()),
        forward_(sources_), repaired_(model) {}

  mlir::LogicalResult run(llvm::ArrayRef<BlockPlan> plan);

private:
  // One attention or network outside mixtures: what its projection reads, in the block as pruned so far and in a copy of
  // the dense block.
  struct Module {
    mlir::Value hidden, denseHidden;
    LinearOp out, denseOut;
    int64_t headDim = 0, groupSize = 0; // 0 for a network
    std::string name;
  };
  struct Choice {
    Kept kept;                   // columns of `out`
    std::optional<MatrixD> weight; // [D, kept], repaired
    std::optional<VectorD> bias; // [D], to be added
  };

  mlir::LogicalResult open();
  mlir::LogicalResult enter(BlockOp block);
  mlir::LogicalResult leave(BlockOp block, BlockOp dense);
  mlir::LogicalResult cutBlock(BlockOp block, BlockOp dense, const BlockPlan &plan);
  mlir::LogicalResult cutAttention(AttentionUnits &units, AttentionUnits &dense, const std::optional<HeadCut> &cut,
                                   llvm::StringRef name);
  mlir::LogicalResult cutNetwork(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width,
                                 llvm::StringRef name);
  mlir::LogicalResult cutMixture(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width,
                                 llvm::StringRef name);
  mlir::LogicalResult measure(Module &module, UnitStatistics *statistics, NormalEquations *sums);
  mlir::LogicalResult repairInputs(mlir::Operation *reader, mlir::ValueRange projected,
                                   mlir::ValueRange denseProjected, llvm::StringRef name);
  mlir::LogicalResult setOutput(LinearOp out, int64_t before, const Choice &choice, llvm::StringRef name);
  mlir::LogicalResult error(const Status &status);

  bool pathsDiffer() const { return options_.prunedPath() && differ_; }

  ModelOp model_;
  const CalibrationOptions &options_;
  bool mask_;
  CutCounts &counts_;
  mlir::IRRewriter rewriter_;
  WeightSources sources_;
  Forward forward_;
  RepairedWeights repaired_;
  TokenWindows windows_;
  Stream dense_, pruned_; // entering the current block
  bool differ_ = false;   // something has been changed before
  BlockOp previous_;

  static constexpr int64_t kChunkWindows = 8;
};

} // namespace xfmr
