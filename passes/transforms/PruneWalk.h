// Carries out a pruning plan block by block, with the residual streams of the dense and the pruned model side by side.
#pragma once

#include "passes/calibration/ModelData.h"
#include "passes/calibration/RepairedWeights.h"
#include "passes/calibration/StatisticsFile.h"
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

/// The linears and GLUs behind the columns of a value.
void findProjections(mlir::Value value, llvm::SmallVectorImpl<mlir::Operation *> &found);
/// The residual that enters the block around a value.
mlir::Value blockArgument(mlir::Value value);

/// One way to cut a module, and what it costs.
struct CurvePoint {
  int64_t parameters, flops; // of the module, flops a token
  double error;              // squared error of the refitted output over the summed square of the residual after it
  std::optional<HeadCut> heads;
  int64_t width = 0;
};
/// A module of block `block` (its position) with its ways to be cut, the whole module first.
struct ModuleCurve {
  size_t block;
  bool attention;
  std::vector<CurvePoint> points;
};

/// The residual entering one block: one matrix a chunk of windows.
using Stream = std::vector<MatrixF>;

class PruneWalk {
public:
  PruneWalk(ModelOp model, const CalibrationOptions &options, bool mask, CutCounts &counts)
      : model_(model), options_(options), mask_(mask), counts_(counts), rewriter_(model.getContext()),
        forward_(sources_), repaired_(model) {}

  mlir::LogicalResult run(llvm::ArrayRef<BlockPlan> plan);

  /// Instead of cutting: what the dense model shows of every unit, with Gram matrices; by module name.
  mlir::LogicalResult collect(llvm::function_ref<void(int64_t done, int64_t total)> progress, StatisticsFile &out);
  /// Instead of cutting: how much worse each module gets with each option, for a budget.
  mlir::LogicalResult curves(std::vector<ModuleCurve> &out);

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
  // A map of what projections read on the pruned path to what they read on the dense one, [D, D].
  struct InputMap {
    MatrixD map;
    llvm::SmallVector<mlir::Operation *> projections;
    llvm::SmallVector<mlir::Value> weights; // of the projections when the map was made
    explicit operator bool() const { return map.size(); }
  };
  mlir::LogicalResult mapInputs(mlir::ValueRange projected, mlir::ValueRange denseProjected, InputMap &out);
  mlir::LogicalResult applyMap(InputMap &map, llvm::StringRef name);
  // Sums over a mixture's text: statistics of each expert's channels on the dense path, and the joint equations.
  struct MixtureSums {
    std::vector<UnitStatistics> experts;
    std::vector<double> gatedNorms; // sum over its tokens of gate * |f(x)|_2
    NormalEquations equations;      // of the gate-weighted features of all experts side by side, [E * F]
  };
  mlir::LogicalResult measureMixture(FeedForwardUnits &units, FeedForwardUnits &dense, bool equations,
                                     bool outputs, MixtureSums &sums);
  mlir::LogicalResult cutBlockExperts(BlockOp block, llvm::MutableArrayRef<FeedForwardUnits> networks,
                                      llvm::MutableArrayRef<FeedForwardUnits> dense, int64_t count);
  mlir::LogicalResult cutExpertsOf(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count,
                                   llvm::StringRef name);
  void setExperts(FeedForwardUnits &units, const MatrixD &weight, const Kept &kept, int64_t width,
                  llvm::StringRef name);
  mlir::LogicalResult attentionCurve(AttentionUnits &units, size_t position, std::vector<ModuleCurve> &out);
  mlir::LogicalResult networkCurve(FeedForwardUnits &units, size_t position, std::vector<ModuleCurve> &out);
  mlir::LogicalResult residualSquares(mlir::Value output, double &squares);
  mlir::LogicalResult chooseSubset(FeedForwardUnits &units, FeedForwardUnits &dense, int64_t count, Indices &kept);
  // The value that the module must give in one chunk so that the sum it joins meets the dense model's; and `inputs`, a
  // value of the block on the path that counts.
  mlir::LogicalResult wantedOutput(size_t chunk, mlir::Value output, mlir::Value denseOutput, mlir::Value input,
                                   mlir::Value denseInput, MatrixF &target, MatrixF &inputs);
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
  std::optional<StatisticsFile> statistics_;
  Stream dense_, pruned_; // entering the current block
  bool differ_ = false;    // something has been changed before
  bool collecting_ = false; // statistics with Gram matrices
  BlockOp previous_;

  static constexpr int64_t kChunkWindows = 8;
};

} // namespace xfmr
