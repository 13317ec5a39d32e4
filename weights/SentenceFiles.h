// The modules of a sentence-transformers folder behind its transformer: how hidden states become the vector of a text.
#pragma once
#include "runtime/artifact/Status.h"
#include <string>

namespace xfmr {

struct SentenceModules {
  std::string pooling; // what runtime/session/Pooling.h reads ("mean normalize"); empty where there are no modules
  std::string dense;   // of the layers behind it, what runtime/artifact/DenseLayers.h reads
};

/// Reads modules.json of the checkpoint `base` (a folder, or a file in it), or of the folder around it where that lists this one, and
/// what it names. `hiddenSize` is the width of the vectors that are pooled. Modules that cannot be carried out are an error.
Status readSentenceModules(const std::string &base, uint32_t hiddenSize, SentenceModules &out);

} // namespace xfmr
