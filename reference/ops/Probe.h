// xfmr.probe: a value that whoever observes the interpreter is shown; nothing else.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// Reports the input as an inner value of the probe by the probe's own name.
Status evaluate(ProbeOp op, Evaluation &evaluation);

} // namespace xfmr::reference
