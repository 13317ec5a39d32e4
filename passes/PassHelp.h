// What the .td files say about each pass, for --help-pass=NAME: what, when, what it refuses, before ==> after, options with
// their defaults, statistics.
#pragma once
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace xfmr {

/// The page of a pass; empty where there is no such pass of ours.
std::string passHelp(llvm::StringRef flag);

/// The names of a pass's options.
std::vector<std::string> passOptions(llvm::StringRef flag);
/// What an option is for, or takes; empty where there is none.
std::string passOption(llvm::StringRef flag, llvm::StringRef option);

/// A pass that registerXfmrPasses() registers by its flag, or null.
std::unique_ptr<mlir::Pass> createPassOf(llvm::StringRef flag);

/// The flags of all passes with a page, sorted.
std::vector<std::string> documentedPasses();

} // namespace xfmr
