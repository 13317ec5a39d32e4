// Heads and feed-forward widths planned layer by layer to a budget, from error curves: what xfmr-prune-budget does and
// xfmr-compress-budget tries.
#pragma once

#include "passes/transforms/PruneModel.h"

namespace xfmr {

struct ModelSize {
  double parameters = 0, flops = 0; // flops of matrix products a token
};

/// Every weight that an op on activations reads, once; a stored tensor that is read under two values counts once too.
ModelSize sizeOf(ModelOp model);

struct PruneBudget {
  double params = 0, flops = 0; // one of them: what stays, a number or a share when at most 1
  bool heads = true;
  int64_t multipleOf = 1;
};

/// What may stay of a model of this size: parameters, or flops a token.
double limitOf(const PruneBudget &budget, const ModelSize &size);

/// Measures curves, plans and cuts by `method=obs`; one remark a block. Errors are emitted at the op they concern.
mlir::LogicalResult pruneToBudget(ModelOp model, const PruneBudget &budget, const CalibrationOptions &options,
                                  CutCounts &counts);

} // namespace xfmr
