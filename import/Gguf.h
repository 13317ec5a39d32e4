// GGUF files as models: metadata instead of a config.json, names of their own, experts already stacked.
#pragma once
#include "import/Import.h"

namespace xfmr {

/// Architectures llama (also Mistral and Mixtral), qwen2, qwen2moe, qwen3, qwen3moe, olmoe. Rotary rows of `llama` lie
/// interleaved in the file and stay so. Returns null and sets `status` on failure.
mlir::OwningOpRef<mlir::ModuleOp> importGguf(mlir::MLIRContext &context, const std::string &path,
                                             const ImportOptions &options, Status &status);

} // namespace xfmr
