// The residual stream of a model in another basis, folded into the weights around it (QuaRot, Ashkboos et al. 2024): outliers of
// single channels are spread over all, and what is rounded has fewer of them.
#pragma once

#include "passes/calibration/RepairedWeights.h"

namespace xfmr {

/// Multiplies the stream by Q = H S / sqrt(b), H of Hadamard in blocks of b channels, the largest power of two that divides the
/// width, S signs: what writes it becomes Q W, what reads it through a norm W diag(g) Q^T, and the norms have weights of one. The
/// same outputs, up to f32. New weights are f32 and go to `files`; embedding and head no longer share one. An error, at the op
/// in the way, where anything else touches the stream.
mlir::LogicalResult rotateStream(ModelOp model, RepairedWeights &files);

} // namespace xfmr
