// What an .xfm artifact holds: of each program kernels, dispatches of each phase and buffers; embedded files.
#pragma once
#include "runtime/artifact/Artifact.h"
#include <nlohmann/json_fwd.hpp>
#include <ostream>

namespace xfmr::inspect {

/// {"file", "file_bytes", "version", "checksum": "ok", "model", "parameters": {"total"}, …, "programs": [{"target",
/// "code_bytes", "kernels": […], "phases": […], "buffers": […]}], "files": […]}. An artifact whose checksum is wrong
/// cannot be opened.
nlohmann::ordered_json contentsJson(const artifact::Artifact &artifact);

void printContents(const artifact::Artifact &artifact, std::ostream &out);

} // namespace xfmr::inspect
