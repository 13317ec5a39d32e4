// The lens (nostalgebraist 2020): what the logits would be if the model ended after a place, and how surprised it is in the end.
#pragma once

#include "tools/xfmr-inspect/look/Look.h"
#include "tools/xfmr-inspect/look/Output.h"

namespace xfmr::inspect {

/// Fills surprise, losses, what is foreseen, chosen tokens, and with `options.views.lens` the lens, from `residual` [P] of
/// [N + repeated, D]. Errors are emitted; values that are not finite fail in silence with `out.refusal` set.
mlir::LogicalResult readLens(Output &output, llvm::ArrayRef<MatrixF> residual, const LookOptions &options, Look &out);

} // namespace xfmr::inspect
