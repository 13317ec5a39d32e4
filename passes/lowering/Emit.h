// The last stage: the artifact, whole or not at all.
#pragma once
#include "dialect/Xfmr.h"
#include "weights/WeightSources.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <map>
#include <string>
#include <vector>

namespace xfmr {

struct EmitOptions {
  std::string path;                         // of the artifact
  std::map<std::string, std::string> files; // embedded: tokenizer.json and so on, name -> contents
  std::function<void(uint64_t done, uint64_t total)> progress; // bytes of weights; may be empty
};

/// Writes the artifact of a program whose executables are serialised. The hazards of the finished program are verified
/// first.
mlir::LogicalResult emitArtifact(ProgramOp program, const WeightSources &sources, const EmitOptions &options);

} // namespace xfmr
