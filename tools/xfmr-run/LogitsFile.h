// Logits of a prompt as a safetensors file.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include <string>
#include <vector>

namespace xfmr::run {

/// Runs the prompt in a fresh session and writes f32 tensor "logits" [T, vocab] of its positions, chunk by
/// chunk. Nothing appears at `path` unless all of it was written.
Status writeLogits(const SessionHandle &session, const std::vector<int32_t> &prompt, uint32_t vocab,
                   const std::string &path);

} // namespace xfmr::run
