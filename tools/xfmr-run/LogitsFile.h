// Logits of a prompt as a safetensors file.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include <string>
#include <vector>

namespace xfmr::run {

/// Runs the prompt in a fresh session and writes f32 tensor "logits" [T, width] of its positions, chunk by chunk; of an encoder
/// they are hidden states, and the tensor's name is "hidden". Nothing appears at `path` unless all of it was written.
Status writeLogits(const SessionHandle &session, const std::vector<int32_t> &prompt, uint32_t width,
                   const std::string &path, const char *name = "logits");

} // namespace xfmr::run
