// Relative paths in the `sources` of a model are relative to its IR file. These steps around a pipeline keep them right
// when the file that is written lies in another folder than the one that was read.
#pragma once
#include "mlir/Pass/PassManager.h"

namespace xfmr {

/// False where nothing is to be done: standard input or output, or text that stays in its folder.
bool needsSourcePaths(llvm::StringRef input, llvm::StringRef output);

/// Bytecode remembers where its text stood; passes that open weights must look beside the file that was read.
void addSourcePathsBefore(mlir::PassManager &passes, llvm::StringRef input);
/// Rewrites relative paths for the folder of `output`.
void addSourcePathsAfter(mlir::PassManager &passes, llvm::StringRef input, llvm::StringRef output);

} // namespace xfmr
