// Rewrites that take columns out of a value, or zero them: gathers on the rows of the projections that make it and on
// the columns of those that read it. Whether that is exact is decided before, by passes/analysis/Units.h.
#pragma once

#include "passes/analysis/Units.h"

#include "mlir/IR/PatternMatch.h"

namespace xfmr {

/// Indices that stay, ascending. An export, which pads instead, appends -1 for entries of zeros.
using Indices = llvm::SmallVector<int64_t>;

/// What stays of the channels of a network: one list, or one for each expert of a mixture, all of one length.
struct Kept {
  llvm::SmallVector<Indices> lists;

  Kept() = default;
  explicit Kept(Indices all) { lists.push_back(std::move(all)); }
  int64_t size() const { return static_cast<int64_t>(lists.front().size()); }
  const Indices &list(int64_t copy) const { return lists.size() == 1 ? lists.front() : lists[copy]; }
  /// The one list that serves all copies, or null.
  const Indices *common() const;
};

/// 0 .. count-1.
Indices firstIndices(int64_t count);
/// The columns of whole units: unit i is columns i*width .. (i+1)*width - 1; unit -1 is width times -1.
Indices columnsOf(llvm::ArrayRef<int64_t> units, int64_t width);

/// The entries `kept` of a weight along `axis`, as a slice where they are consecutive; -1 is an entry of zeros. Of a quantised
/// weight codes are moved; where columns are taken out of groups that share scales a remark says that they are rounded again.
mlir::Value selectWeight(mlir::OpBuilder &builder, mlir::Value weight, int64_t axis, llvm::ArrayRef<int64_t> kept);
/// The weight with all other entries zero.
mlir::Value maskWeight(mlir::OpBuilder &builder, mlir::Value weight, int64_t axis, llvm::ArrayRef<int64_t> kept);

/// An error at a weight of the model that a cut made to be rounded again: for recut=refuse.
mlir::LogicalResult refuseRoundingAgain(ModelOp model);

/// Keeps only these columns of `value`: rows of the projections behind it. `headDim` is the width of a head for the
/// rope and norms on the way. Fails, with an error at the op, on an expert's weight that is an expression over slices.
mlir::LogicalResult keepProducedColumns(mlir::IRRewriter &rewriter, mlir::Value value, const Kept &kept);
/// Keeps these columns of the weights of all linears that read `value`. With `mask` the others become zero.
mlir::LogicalResult keepReadColumns(mlir::IRRewriter &rewriter, mlir::Value value, const Kept &kept, bool mask);

/// Makes the parts of every split of a linear linears of their own, over row slices of its weight.
void separateSplits(mlir::IRRewriter &rewriter, BlockOp block);
/// Erases weight expressions without a use, and stacked weights that no expert reads.
void eraseDeadWeights(mlir::Operation *root);

} // namespace xfmr
