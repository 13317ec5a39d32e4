// The weights of one head, as Forward computes attention with them.
#pragma once

#include "dialect/Xfmr.h"
#include "passes/calibration/Matrix.h"

namespace xfmr {

/// What attention is computed from; q [N, H*h] and k [N, K*h] after rotation, sinks [H, 1] or null.
struct AttentionInputs {
  AttentionOp op;
  const MatrixF &q, &k;
  const MatrixF *sinks;
};

/// A head's weights for queries begin … begin + count - 1 of the window of `window` rows that starts at row `start`:
/// [count, n], column j for key `from` + j of the window; none other is seen by any of them. A row sums to one, with sinks to one
/// minus their share.
MatrixF attentionWeights(const AttentionInputs &inputs, int64_t window, int64_t start, int64_t head, int64_t begin,
                         int64_t count, int64_t &from);

} // namespace xfmr
