// The stages of the compiler as pass pipelines, one function a stage.
#pragma once

#include "mlir/Pass/PassManager.h"

namespace xfmr {

/// Adds the passes of an MLIR textual pipeline over the module to `manager` (anchored on builtin.module). Passes on
/// models and blocks nest by themselves: `xfmr-fuse-glu,xfmr-fuse-qkv`. `registerXfmrPasses` must have run.
/// On failure `error` says what is unknown or malformed.
mlir::LogicalResult parseNestedPipeline(llvm::StringRef text, mlir::OpPassManager &manager,
                                        std::string &error);

/// The `optimize` stage over a module: canonicalise, fold adapters, the user's `passes` (see parseNestedPipeline; may be
/// empty), then fuse projections. User passes come before the fusions, so that they meet the block as imported.
mlir::LogicalResult buildOptimizePipeline(mlir::OpPassManager &manager, llvm::StringRef passes,
                                          std::string &error);

/// The same without fusions: the user's `passes`, then what lowering cannot do without, adapters of experts folded.
mlir::LogicalResult buildPlainPipeline(mlir::OpPassManager &manager, llvm::StringRef passes, std::string &error);

} // namespace xfmr
