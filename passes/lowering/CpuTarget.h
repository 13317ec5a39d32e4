// What a program for the CPU is for: an architecture and the levels of it that get code.
#pragma once
#include "dialect/Xfmr.h"

#include <string>

namespace xfmr {

/// The target for the levels of `triple` that `names` lists, "v3,v4" in any order; for all of them where it is empty. On failure null, and
/// `error` says what was found and expected.
TargetAttr cpuTarget(mlir::MLIRContext *context, llvm::StringRef triple, llvm::StringRef names, std::string &error);

} // namespace xfmr
