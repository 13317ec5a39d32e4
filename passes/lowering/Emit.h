// The last two stages: codegen (every kernel to SPIR-V) and emit (the artifact, whole or not at all).
#pragma once
#include "dialect/Xfmr.h"
#include "passes/codegen/Kernel.h"
#include "weights/WeightSources.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <map>
#include <string>
#include <vector>

namespace xfmr {

/// Compiles every `xfmr.kernel` of the program, in order. Errors are emitted at the op.
mlir::FailureOr<std::vector<codegen::CompiledKernel>> generateKernels(ProgramOp program);

struct EmitOptions {
  std::string path;                         // of the artifact
  std::map<std::string, std::string> files; // embedded: tokenizer.json and so on, name -> contents
  std::function<void(uint64_t done, uint64_t total)> progress; // bytes of weights; may be empty
};

/// Writes the artifact of a planned program. The hazards of the finished program are verified first.
mlir::LogicalResult emitArtifact(ProgramOp program, const std::vector<codegen::CompiledKernel> &kernels,
                                 const WeightSources &sources, const EmitOptions &options);

} // namespace xfmr
