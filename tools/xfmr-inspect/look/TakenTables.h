// What a change took, and channels of a look, for people.
#pragma once

#include "tools/xfmr-inspect/look/Taken.h"

#include <ostream>

namespace xfmr::inspect {

/// "12", or of a mixture "3:12".
std::string nameOf(const Channel &channel);
/// The tokens, quoted, with spaces between.
std::string promotedBy(const Channel &channel);

/// `before` is the look at the model that was changed. Nothing where nothing was taken.
void printTaken(const Taken &taken, const Look &before, std::ostream &out);

} // namespace xfmr::inspect
