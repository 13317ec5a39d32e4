// xfmr.rms_norm and xfmr.layer_norm.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// y = x / sqrt(mean(x^2) + eps) * w over each group of |w| columns; with `unitOffset` times (1 + w).
/// x and y [T, G * |w|], w [N].
Tensor rmsNorm(const Tensor &x, const Tensor &w, double eps, bool unitOffset);

/// y = (x - mean(x)) / sqrt(var(x) + eps) * w + b over a row, var divided by N; x, y [T, N], w and b
/// [N], b may be null.
Tensor layerNorm(const Tensor &x, const Tensor &w, const Tensor *b, double eps);

Status evaluate(RmsNormOp op, Evaluation &evaluation);
Status evaluate(LayerNormOp op, Evaluation &evaluation);

} // namespace xfmr::reference
