// What the command line asks for, carried out: to standard output, to a page. Status of the process; errors are printed.
#pragma once
#include "tools/xfmr-inspect/Probes.h"

namespace xfmr::inspect {

int fail(const std::string &message, int status);

/// `device`: a profile's name (runtime/profiles), or empty: what the artifact holds.
int showArtifact(const std::string &path, const std::string &device, bool json);
/// The code of one kernel of an artifact.
int showKernel(const std::string &path, const std::string &name);
int showMemory(const InspectOptions &options, const MemoryOptions &place, bool json);
/// `page`: file for a page, or empty. A page begins with what `look.asked` names.
int showLook(const InspectOptions &options, const LookOptions &look, const std::string &page, bool json);
int showProbes(const InspectOptions &options, const LookTextOptions &text, const ProbeOptions &probes, bool json);
int showCounts(const InspectOptions &options, const std::string &page, bool json);

} // namespace xfmr::inspect
