// The safetensors file of weights that a pass has made, as a source of the model.
#pragma once

#include "runtime/artifact/Safetensors.h"

#include "dialect/Xfmr.h"
#include "llvm/ADT/ArrayRef.h"

namespace xfmr {

/// A source name that `model` does not use yet: KIND, "KIND2", ...
std::string unusedSourceName(ModelOp model, llvm::StringRef kind);

struct WrittenTensor {
  const std::string &name;
  DType dtype;
  const std::vector<int64_t> &shape;
  llvm::ArrayRef<uint8_t> bytes;
};

/// Writes the file, whole or not at all, and adds it to the model's sources as `source`. An empty `path` means
/// KIND-HASH.safetensors, HASH of what it holds, where SourcePlaces say.
Status writeSource(ModelOp model, llvm::StringRef source, llvm::StringRef kind, const std::string &path,
                   llvm::ArrayRef<WrittenTensor> tensors);

} // namespace xfmr
