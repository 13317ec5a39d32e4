// xfmr.glu.
#pragma once
#include "reference/Evaluation.h"
#include <optional>

namespace xfmr::reference {

/// The clamped form of gpt-oss: (clamp(u, -limit, limit) + 1) * g' * sigmoid(alpha g'), g' = min(g, limit).
struct GluClamp {
  double alpha, limit;
};

/// y = act(g) * u with g = x Wg^T + bg, u = x Wu^T + bu; x [T, I], w [2F, I] and b [2F] or null hold
/// gate and up by `layout`, y [T, F].
Tensor glu(const Tensor &x, const Tensor &w, const Tensor *b, ActivationKind kind, GluLayout layout,
           std::optional<GluClamp> clamp = std::nullopt);

Status evaluate(GluOp op, Evaluation &evaluation);

} // namespace xfmr::reference
