// xfmr.linear.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// y = x W^T + b; x [T, I], W [O, I], b [O] or null, y [T, O]. Every sum runs over i in ascending
/// order, so a row of y does not depend on the other rows of x.
Tensor linear(const Tensor &x, const Tensor &w, const Tensor *b);

Status evaluate(LinearOp op, Evaluation &evaluation);

} // namespace xfmr::reference
