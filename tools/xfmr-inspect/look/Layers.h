// What each block does, from the residual stream in front of it: what it adds, to the stream and to a logit, where its heads
// look, which channels fire, which experts are chosen. The weights of one block are held at a time.
#pragma once

#include "tools/xfmr-inspect/look/Look.h"
#include "tools/xfmr-inspect/look/Output.h"
#include "tools/xfmr-inspect/look/Streams.h"

namespace xfmr::inspect {

/// Fills norms and, as `options.views` ask, contributions, heads, maps, channels and routers. Errors are emitted.
mlir::LogicalResult readLayers(ModelOp model, llvm::ArrayRef<LookBatch> batches, llvm::ArrayRef<MatrixF> residual,
                               Output &output, Forward &forward, const LookOptions &options, Look &out);

} // namespace xfmr::inspect
