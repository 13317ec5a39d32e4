// What xfmr-inspect says of an artifact: what it holds, or what it can do at most on a device.
#pragma once
#include "runtime/artifact/Status.h"
#include <ostream>
#include <string>

namespace xfmr::inspect {

/// `device`: a profile's name (runtime/profiles), or empty: what the artifact holds.
Status showArtifact(const std::string &path, const std::string &device, bool json, std::ostream &out);

} // namespace xfmr::inspect
