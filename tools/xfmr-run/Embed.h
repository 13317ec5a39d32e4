// --embed: the vector of each prompt, by an encoder.
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// Prints a line a prompt, its numbers or with --json an object; --embeddings and --hidden write files.
Status embed(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
