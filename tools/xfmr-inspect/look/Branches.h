// What a block adds to the residual stream: the terms of the sum that it gives. Facts of the IR, no numbers.
#pragma once

#include "dialect/Xfmr.h"

#include <string>

namespace xfmr::inspect {

/// One term: `factor` times `value`, a vector of the residual stream.
struct Branch {
  mlir::Value value;
  double factor = 1;
  bool attends = false; // from an attention, else of a feed-forward network or a mixture
};

struct Branches {
  double kept = 0; // factor on what came in
  bool normed = false; // a norm stands behind a sum with what came in, as in BERT: terms are those of the sums before norms
  llvm::SmallVector<Branch> terms;
  std::string refusal; // why the block gives no such sum; empty when it does
};

Branches branchesOf(BlockOp block);

/// What a term ends in, behind factors and norms; `between` are those, the last of them first.
mlir::Operation *sourceOf(mlir::Value term, llvm::SmallVectorImpl<mlir::Operation *> &between);
/// The linear that it ends in, or null.
LinearOp projectionOf(mlir::Value term, llvm::SmallVectorImpl<mlir::Operation *> &between);

} // namespace xfmr::inspect
