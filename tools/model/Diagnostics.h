// What a tool says about a model while it works: "TOOL: warning: PLACE: text" on stderr, the same in every tool. The place
// is the module of a checkpoint or a line of a file. Errors of passes become the tool's one error (weights/Diagnostics.h).
#pragma once
#include "mlir/IR/MLIRContext.h"
#include <string>

namespace xfmr {

/// Prints warnings, the summaries of passes (weights/Summary.h), and remarks where they are wanted; errors that nobody
/// collects too.
void printDiagnostics(mlir::MLIRContext &context, const std::string &tool, bool remarks = false);

} // namespace xfmr
