// One line about a whole model that a pass has for people: what it cut and what that cost. Tools print it; a context that nobody
// listens to drops it. Remarks, one an op, are something else: tools print them only when asked.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include <cstdint>
#include <functional>
#include <string>

namespace xfmr {

/// Hears the lines of passes from now on. Loads the dialect.
void hearSummaries(mlir::MLIRContext *context, std::function<void(const std::string &line)> hear);

/// Hands a line to whoever listens; passes that run side by side take turns.
void summarise(mlir::MLIRContext *context, const std::string &line);

/// How far long work is: `done` of `total` steps of `what`, "pruning block".
using OnProgress = std::function<void(const std::string &what, int64_t done, int64_t total)>;
void hearProgress(mlir::MLIRContext *context, OnProgress hear);
void reportProgress(mlir::MLIRContext *context, const std::string &what, int64_t done, int64_t total);

/// What tools do: lines on standard error behind the tool's name, progress only where that is a terminal.
void printSummaries(mlir::MLIRContext *context, const std::string &tool);

} // namespace xfmr
