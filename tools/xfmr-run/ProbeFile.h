// Probes of a prompt as a safetensors file.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include <string>
#include <vector>

namespace xfmr::run {

/// Runs the prompt in a fresh session and writes an f32 tensor [T, columns] a probe, chunk by chunk, so that no more than a
/// chunk of them is in memory; and with a `logitsPath` the logits of the same run, as --logits writes them. Nothing appears at
/// `path` unless all of it was written. Errors: an artifact without probes.
Status writeProbes(const ModelHandle &model, const SessionHandle &session, const std::vector<int32_t> &prompt,
                   const std::string &path, const std::string &logitsPath);

} // namespace xfmr::run
