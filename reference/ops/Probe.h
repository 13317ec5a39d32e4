// xfmr.probe: a value that whoever observes the interpreter is shown; nothing else.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// Of each row the `top` largest numbers, by magnitude if so asked, the largest first and of equal ones that of the lowest
/// column; then their columns: [T, 2 top]. NaN comes behind every number.
Tensor topOf(const Tensor &x, int64_t top, bool magnitude);

/// Reports the input, or the top of it, as an inner value of the probe by the probe's own name.
Status evaluate(ProbeOp op, Evaluation &evaluation);

} // namespace xfmr::reference
