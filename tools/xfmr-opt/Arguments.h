// What xfmr-opt says about its command line before LLVM's parser sees it: a page of a pass, and one line for what it cannot read.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace xfmr {

/// The exit status where the tool has to end here: after --help-pass=NAME, or with 2 for an option that does not exist.
/// All options must be registered.
std::optional<int> checkArguments(int argc, char **argv, llvm::StringRef tool);

} // namespace xfmr
