// MLIR's own options of the pass manager, in tools that read the rest of their command line otherwise: timing, printing of IR between
// passes, statistics.
#pragma once
#include "mlir/Pass/PassManager.h"
#include <optional>

namespace xfmr {

/// Takes --mlir-… out of the arguments. The exit status where the tool has to end here.
std::optional<int> takeMlirOptions(int &argc, char **argv, llvm::StringRef tool);

/// Does what they ask for to each manager that runs.
void applyMlirOptions(mlir::PassManager &manager);

} // namespace xfmr
