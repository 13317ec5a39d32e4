// --teacher: what a model says about texts, in shards (runtime/artifact/Teacher.h).
#pragma once
#include "tools/xfmr-run/Handles.h"
#include "tools/xfmr-run/Options.h"

namespace xfmr::run {

/// Writes the shards that are not there yet; a shard is whole or absent, so an interrupted run goes on by the same command. Holds the
/// ids of the texts and one shard. Errors: shards of another run, and those of windows.
Status teach(const ModelHandle &model, const Options &options);

} // namespace xfmr::run
