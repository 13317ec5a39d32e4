// Where an edit can be made: the feed-forward network of a block, seen as one linear map of what its down projection reads, or, of a
// mixture, as a sum of one such map an expert whose inputs are weighed by the router.
#pragma once

#include "passes/analysis/Units.h"
#include "passes/calibration/KeyEdits.h"
#include "passes/calibration/RepairedWeights.h"
#include "passes/calibration/Sequence.h"

namespace xfmr {

/// Factor with which what a module of a block gives is added to the block's result; nothing where more than sums and factors lie
/// between, `inTheWay` is then the first such op.
std::optional<double> factorToResult(mlir::Value given, BlockOp block, mlir::Operation *&inTheWay);

/// What the linear map that reads `hidden` reads, for a sequence that stands at the input of `block`: map 0, all tokens (no rows are
/// given). Of a mixture, `hidden` being of its region: what that of each expert reads, weighed by the router, and of which tokens. Experts
/// whose entry of `skip` is true, if there is one, are left out; with `lastOnly` all tokens but the last one.
mlir::LogicalResult mapInputs(BlockOp block, mlir::Value hidden, MoeOp mixture, Forward &forward,
                              const Sequence &sequence,
                              llvm::function_ref<void(int64_t map, const MatrixF &x, llvm::ArrayRef<int64_t> rows)> use,
                              bool lastOnly = false, llvm::ArrayRef<bool> skip = {});

class EditSite {
public:
  /// Fails, with an error at the op in the way: several networks, adapters beside the down projection.
  static mlir::FailureOr<EditSite> of(BlockOp block);

  BlockOp block() { return block_; }
  int64_t layer() { return block_.getLayer(); }
  FeedForwardUnits &units() { return units_; }
  /// 1, or the experts of the mixture.
  int64_t maps() { return units_.copies(); }
  int64_t outputs();

  /// Factor with which what the network gives is added to the block's result. Fails, with an error at the op in the way, where more
  /// than sums and factors lie between.
  mlir::FailureOr<double> factorToResult();

  /// The maps' inputs at the last tokens of prompts that stand at the block's input, mean over them: maps() times [F].
  mlir::LogicalResult key(Forward &forward, llvm::ArrayRef<Sequence> prompts, std::vector<VectorD> &out);
  /// Adds x x^T over all tokens to `grams` of those maps where it has a size.
  mlir::LogicalResult addMoments(Forward &forward, const Sequence &text, std::vector<MatrixD> &grams);

  /// Values of the down projections, maps() of them.
  mlir::LogicalResult weights(Forward &forward, std::vector<MatrixF> &out);
  /// Gives the maps `changed` the values `after` = before + b a, as weights NAME.edit.b and NAME.edit.a of `side`; `forward` keeps them.
  mlir::LogicalResult apply(const KeyEdits &edits, llvm::ArrayRef<int64_t> changed, std::vector<MatrixF> &weights,
                            RepairedWeights &side, Forward &forward);

private:
  BlockOp block_;
  FeedForwardUnits units_;
};

} // namespace xfmr
