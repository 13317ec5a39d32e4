// Ops that work element by element, and xfmr.split.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// a + b.
Status evaluate(AddOp op, Evaluation &evaluation);
/// a * b.
Status evaluate(MulOp op, Evaluation &evaluation);
/// x * factor.
Status evaluate(ScaleOp op, Evaluation &evaluation);
/// y[t] = x[t] * s[t]; x [T, N], s [T, 1].
Status evaluate(RowScaleOp op, Evaluation &evaluation);
/// Consecutive column ranges of x [T, N].
Status evaluate(SplitOp op, Evaluation &evaluation);

} // namespace xfmr::reference
