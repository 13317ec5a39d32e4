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
  int descriptor = -1;                      // or an open file without a name
  std::map<std::string, std::string> files; // embedded: tokenizer.json and so on, name -> contents
  std::function<void(uint64_t done, uint64_t total)> progress; // bytes of weights; may be empty
};

/// Writes the artifact of one program a target, whose executables are serialised. Weights that several programs have are
/// stored once, in the order of the first. The hazards of the finished programs are verified first.
mlir::LogicalResult emitArtifact(llvm::ArrayRef<ProgramOp> programs, const WeightSources &sources,
                                 const EmitOptions &options);

} // namespace xfmr
