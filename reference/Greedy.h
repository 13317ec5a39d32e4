// Greedy generation with the interpreter.
#pragma once
#include "reference/Interpreter.h"

namespace xfmr::reference {

/// Index of the largest of `count` values, the lowest one on a tie.
int64_t argmax(const double *values, int64_t count);

/// Reads `prompt`, of an encoder with a decoder `source` before it, then picks up to `count` tokens, each the largest logit. Stops
/// before a token of `endTokens`. `promptLogits` (may be null) gets [T, V]; `token` is called with each id as it comes.
Status generateGreedily(Interpreter &interpreter, llvm::ArrayRef<int32_t> source, llvm::ArrayRef<int32_t> prompt,
                        int64_t count, llvm::ArrayRef<int64_t> endTokens, Tensor *promptLogits,
                        llvm::function_ref<void(int32_t)> token);

} // namespace xfmr::reference
