// What a configuration holds beside the mathematics: training, generation, bookkeeping. A key that is neither read nor
// listed here may belong to code that this importer does not know, so it is reported.
#pragma once
#include "import/Config.h"

namespace xfmr {

/// Whether the key changes no number of a forward pass, in any family.
bool isHarmlessKey(const std::string &key);

/// Keys of the configuration that were not read though they may change numbers.
std::vector<std::string> unknownKeys(const Config &config);

} // namespace xfmr
