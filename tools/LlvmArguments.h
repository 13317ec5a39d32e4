// What tools over LLVM's option parser say about their command line before that parser sees it: one line for what it cannot read,
// with the nearest right form, and pages of passes. Options keep LLVM's meaning.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace xfmr {

/// An option that is registered only after the check; `value` is what it takes ("FILE", "error|info|verbose"), or empty.
struct LaterOption {
  llvm::StringRef name, value;
};

struct ArgumentRules {
  llvm::StringRef tool;
  int mostFiles = 1;
  llvm::ArrayRef<LaterOption> later = {};
};

/// The exit status where the tool has to end here: after --help-pass=NAME, or with 2 for what was typed. All options of the
/// tool must be registered, but those of `later`.
std::optional<int> checkArguments(int argc, char **argv, const ArgumentRules &rules);

/// What is wrong with a file that should hold IR, without the tool's name; empty where it may be read ("-" always).
std::string inputFault(llvm::StringRef path);

/// Takes LLVM's own options, those of its back ends among them, out of --help. Before the tool's are registered.
void hideOtherOptions();

} // namespace xfmr
