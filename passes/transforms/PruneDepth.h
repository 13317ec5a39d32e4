// Which blocks a model gives up, for xfmr-prune-layers and its masking twin.
#pragma once

#include "dialect/Xfmr.h"

namespace xfmr {

/// Blocks that go: those numbered in `layers`, or all but the first `keep`. Fails, with an error at the model or
/// block, on numbers that are not there, when none would stay, and on blocks that cannot hand their input on.
mlir::FailureOr<llvm::SmallVector<BlockOp>> blocksToRemove(ModelOp model, llvm::ArrayRef<int64_t> layers, int64_t keep);

} // namespace xfmr
