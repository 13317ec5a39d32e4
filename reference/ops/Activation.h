// xfmr.activation and xfmr.softcap.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// relu max(x, 0); gelu x Phi(x) = x/2 (1 + erf(x / sqrt 2));
/// gelu_tanh x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))); silu x sigmoid(x); sigmoid 1/(1 + e^-x);
/// tanh.
double activation(ActivationKind kind, double x);

Status evaluate(ActivationOp op, Evaluation &evaluation);
/// c tanh(x / c).
Status evaluate(SoftcapOp op, Evaluation &evaluation);

} // namespace xfmr::reference
