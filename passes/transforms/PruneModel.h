// What the pruning passes and their masking twins share: the walk over a model's blocks, checks before any change, and
// the choice of units.
#pragma once

#include "passes/transforms/PruneUnits.h"

namespace xfmr {

struct HeadRequest {
  int64_t heads;
  HeadMode mode;
  llvm::ArrayRef<int64_t> layers; // empty: all
};
struct FfnRequest {
  int64_t width, multipleOf;
  FfnPlace where;
  llvm::ArrayRef<int64_t> layers; // empty: all
};

/// Nothing changes on failure; errors are emitted at the op they concern.
mlir::LogicalResult cutModelHeads(ModelOp model, const HeadRequest &request, bool mask, CutCounts &counts);
mlir::LogicalResult cutModelFfn(ModelOp model, const FfnRequest &request, bool mask, CutCounts &counts);

} // namespace xfmr
