// A text or prompts on their way through a model to one of its blocks, so that the weights of one block are held at a
// time.
#pragma once

#include "passes/calibration/CalibrationText.h"
#include "passes/calibration/Forward.h"

namespace xfmr {

/// Windows of tokens, all of one length: of a text, or one prompt.
struct Sequence {
  int64_t window; // tokens of each
  MatrixF values; // [N, D] of the residual; token ids [N, 1] before the first block
};

/// A text in sequences of a few windows each, in order.
std::vector<Sequence> sequencesOf(const TokenWindows &windows);

/// Takes the sequences from a value to a later one, each the model's tokens or an input or result of a block. Errors are emitted:
/// blocks of several inputs or results, and what Forward cannot evaluate.
mlir::LogicalResult run(mlir::Value from, mlir::Value until, ModelOp model, Forward &forward,
                        llvm::MutableArrayRef<Sequence> sequences);
/// From token ids to the input of `wanted`, a block of `model`; null: to the result of the last one.
mlir::LogicalResult runTo(BlockOp wanted, ModelOp model, Forward &forward, llvm::MutableArrayRef<Sequence> sequences);

/// A value of `block` for a sequence that stands at its input: [N, columns].
mlir::LogicalResult valueIn(BlockOp block, mlir::Value value, Forward &forward, const Sequence &sequence, MatrixF &out);

} // namespace xfmr
