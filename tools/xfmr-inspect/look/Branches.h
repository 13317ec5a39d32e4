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
  llvm::SmallVector<Branch> terms;
  std::string refusal; // why the block gives no such sum; empty when it does
};

Branches branchesOf(BlockOp block);

/// The linear that a term ends in, behind factors and norms, or null; `between` are those, the last of them first.
/// What it ends in, behind the same.
mlir::Operation *sourceOf(mlir::Value term, llvm::SmallVectorImpl<mlir::Operation *> &between);
LinearOp projectionOf(mlir::Value term, llvm::SmallVectorImpl<mlir::Operation *> &between);

} // namespace xfmr::inspect
