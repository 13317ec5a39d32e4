// What xfmr-opt adds to mlir-opt around a pipeline: passes find weights beside the file that is read, `--source NAME=PATH`
// replaces a source, and relative paths stay right when the file that is written lies in another folder. The steps are
// passes with names, so that a pipeline in a crash reproducer runs again.
#pragma once
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

namespace xfmr {

/// Registers `--source` and the passes. Before the command line is parsed.
void registerSourcePaths();

/// Gives every context of `registry` its SourcePlaces. Fails, with a message, where `--source` is wrong.
mlir::LogicalResult placeSources(llvm::StringRef input, llvm::StringRef output, mlir::DialectRegistry &registry);

/// False where no step is needed: standard input or output, or text that stays in its folder, without `--source`.
bool needsSourcePaths(llvm::StringRef input, llvm::StringRef output);

void addSourcePathsBefore(mlir::PassManager &passes);
/// Rewrites relative paths for the folder of `output`.
void addSourcePathsAfter(mlir::PassManager &passes, llvm::StringRef input, llvm::StringRef output);

} // namespace xfmr
