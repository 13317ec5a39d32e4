// xfmr.activation and xfmr.softcap.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// The formulas beside the words in dialect/Enums.td, in double precision; NaN for a kind that has none here.
double activation(ActivationKind kind, double x);

Status evaluate(ActivationOp op, Evaluation &evaluation);
/// c tanh(x / c).
Status evaluate(SoftcapOp op, Evaluation &evaluation);
Status evaluate(ClampOp op, Evaluation &evaluation);
/// Row t times 1 + scale ln(1 + floor((position + 1) / floor)).
Status evaluate(PositionScaleOp op, Evaluation &evaluation);

} // namespace xfmr::reference
