// The residual stream of a text at every place of a model: before the first block and after each.
#pragma once

#include "passes/calibration/Forward.h"
#include "runtime/artifact/Status.h"
#include "tools/xfmr-inspect/look/LookText.h"

namespace xfmr::inspect {

/// Rows that go through a block at once: windows of one length.
struct LookBatch {
  int64_t window, first, rows;
  bool repeats; // the random tokens that come twice, behind the rows of the text
};

/// In order; the repeated tokens last.
std::vector<LookBatch> batchesOf(const LookText &text);

/// Of each row of a batch, whether it is a begin or end token, which is not of the text.
std::vector<char> addedTokens(const LookText &text, const LookBatch &batch);

/// Runs the model: [P] of [N + repeated, D]. Errors are emitted, blocks of several inputs or results included.
mlir::LogicalResult runStreams(ModelOp model, const LookText &text, llvm::ArrayRef<LookBatch> batches, Forward &forward,
                               std::vector<MatrixF> &out);

} // namespace xfmr::inspect
