// The modules of a sentence-transformers folder behind its transformer: how hidden states become the vector of a text.
#pragma once
#include "runtime/artifact/Status.h"
#include <string>

namespace xfmr {

/// Reads modules.json of the checkpoint `base` (a folder, or a file in it), or of the folder around it where that lists this one, and
/// the configurations it names. `pooling` is then what runtime/session/Pooling.h reads ("mean normalize"), and empty where there are
/// no modules. Modules that cannot be carried out are an error.
Status readSentenceModules(const std::string &base, std::string &pooling);

} // namespace xfmr
