// xfmr.block: its body on its inputs.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

Status evaluate(BlockOp op, Evaluation &evaluation);

} // namespace xfmr::reference
