// Which blocks a model gives up, for xfmr-prune-layers and its masking twin.
#pragma once

#include "passes/PruneOptions.h"

#include "dialect/Xfmr.h"

namespace xfmr {

struct DepthRequest {
  llvm::ArrayRef<int64_t> layers; // numbers that go
  int64_t keep;                   // or how many stay
  LayerMethod method;             // of `keep`
  std::vector<std::string> texts;
  int64_t window;
};

/// Blocks that go: those numbered in `layers`, or all but `keep`. Fails, with an error at the model or block, on
/// numbers that are not there, when none would stay, and on blocks that cannot hand their input on.
mlir::FailureOr<llvm::SmallVector<BlockOp>> blocksToRemove(ModelOp model, const DepthRequest &request);

} // namespace xfmr
