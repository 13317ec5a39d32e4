// Cutting one module: criterion x repair x streams. What the walk hands around, and one function a kind of module.
#pragma once

#include "passes/calibration/RepairedWeights.h"
#include "passes/calibration/criteria/Criterion.h"
#include "passes/calibration/repairs/RepairRule.h"
#include "passes/transforms/PruneModel.h"
#include "passes/transforms/prune/Measure.h"

namespace xfmr {

/// One walk over a model: what was asked for, the text on its way, and what has been made so far.
struct PruneContext {
  PruneContext(ModelOp model, const CalibrationOptions &options, bool mask, CutCounts &counts)
      : options(options), criterion(criterionOf(options.method)), repair(repairOf(options.chosenRepair())), mask(mask),
        counts(counts), rewriter(model.getContext()), streams(model, options), repaired(model) {}

  const CalibrationOptions &options;
  const Criterion &criterion;
  const RepairRule &repair;
  const bool mask; // zero instead of removing
  CutCounts &counts;
  mlir::IRRewriter rewriter;
  PruneStreams streams;
  RepairedWeights repaired;

  /// Normal equations are wanted.
  bool equations() const { return repair.fits() || criterion.solvesEquations(); }
  /// Something before has changed, and this repair makes up for it here.
  bool follows() const { return repair.followsPath() && streams.differ(); }
  /// A new weight of the model, with its numbers.
  mlir::Value add(mlir::Location loc, const llvm::Twine &name, mlir::RankedTensorType type, MatrixF value) {
    return repaired.add(rewriter, loc, name.str(), type, std::move(value), streams.forward());
  }
};

/// Cuts the heads, or, without a cut, fits the output projection again where the repair follows the path.
mlir::LogicalResult cutAttention(PruneContext &prune, AttentionUnits &units, AttentionUnits &dense,
                                 const std::optional<HeadCut> &cut, llvm::StringRef name);
/// Cuts a network outside mixtures to `width` channels.
mlir::LogicalResult cutNetwork(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width,
                               llvm::StringRef name);
/// Cuts the network of every expert to `width` channels.
mlir::LogicalResult cutMixture(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense, int64_t width,
                               llvm::StringRef name);
/// Leaves `count` experts in every mixture of the block.
mlir::LogicalResult cutBlockExperts(PruneContext &prune, BlockOp block, llvm::MutableArrayRef<FeedForwardUnits> networks,
                                    llvm::MutableArrayRef<FeedForwardUnits> dense, int64_t count);

/// Gives the experts of a mixture new down projections: `weight` [D, E * kept], put at columns `kept` of `width`.
void setExperts(PruneContext &prune, FeedForwardUnits &units, const MatrixD &weight, const Kept &kept, int64_t width,
                llvm::StringRef name);

/// The experts that stay, ascending, by the options' ExpertMethod.
mlir::FailureOr<Indices> chooseExperts(PruneContext &prune, FeedForwardUnits &units, FeedForwardUnits &dense,
                                       int64_t count, llvm::StringRef name);

} // namespace xfmr
