// The weight expressions over stored tensors: selections along an axis, and small algebra. Sums and
// products are computed in double and rounded once to the result's element type.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// The entries `indices` of `x` along `axis`, in that order.
Tensor takeAlong(const Tensor &x, int64_t axis, llvm::ArrayRef<int64_t> indices);

/// a b; a [O, M], b [M, I].
Tensor product(const Tensor &a, const Tensor &b);

/// Inputs one after the other along an axis.
Status evaluate(WeightConcatOp op, Evaluation &evaluation);
/// `size` consecutive entries along an axis, from `offset`.
Status evaluate(WeightSliceOp op, Evaluation &evaluation);
/// The entries `indices` along an axis.
Status evaluate(WeightGatherOp op, Evaluation &evaluation);
/// Zero along an axis but at the indices `keep`.
Status evaluate(WeightMaskOp op, Evaluation &evaluation);
/// The two halves along an axis taken alternately.
Status evaluate(WeightInterleaveOp op, Evaluation &evaluation);
/// The last two axes exchanged.
Status evaluate(WeightTransposeOp op, Evaluation &evaluation);
/// N tensors as one [N, ...].
Status evaluate(WeightStackOp op, Evaluation &evaluation);
/// Entry `index` of the first axis.
Status evaluate(WeightSelectOp op, Evaluation &evaluation);
/// W + scale * B A.
Status evaluate(WeightAddLowrankOp op, Evaluation &evaluation);
/// lhs rhs.
Status evaluate(WeightProductOp op, Evaluation &evaluation);
/// lhs + rhs.
Status evaluate(WeightAddOp op, Evaluation &evaluation);
/// w * factor.
Status evaluate(WeightScaleOp op, Evaluation &evaluation);

} // namespace xfmr::reference
