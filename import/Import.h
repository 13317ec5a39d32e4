// The entry of every tool that takes a MODEL: a Hugging Face folder, a `config.json` alone (shapes
// only), a GGUF file, or IR as text or bytecode.
#pragma once
#include "runtime/artifact/Status.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace xfmr {

struct ImportOptions {
  /// Folder of a low-rank adapter (PEFT) to show as branches beside the layers; empty for none.
  std::string adapter;
  /// Where rotary frequencies depend on the served length (dynamic, longrope): the length to fix them
  /// for. 0 keeps those of short texts.
  int64_t ropeLength = 0;
};

/// Reads MODEL. On failure returns null and `status` says why. For IR the module is returned as it stands, and the
/// context's SourcePlaces take the folder of the file; `options.adapter` must then be empty.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext &context, llvm::StringRef path,
                                              const ImportOptions &options, Status &status);

/// What the model of a checkpoint is called: its folder.
std::string modelName(llvm::StringRef checkpoint);

/// The folder that the paths in the `sources` of a MODEL are relative to: that of the IR file, or the
/// working directory (empty) for a checkpoint.
std::string sourceFolder(llvm::StringRef modelPath);

/// Rewrites relative source paths so that they stay right when the module moves from `fromFolder` to
/// `toFolder`.
void moveSources(mlir::ModuleOp module, llvm::StringRef fromFolder, llvm::StringRef toFolder);

} // namespace xfmr
