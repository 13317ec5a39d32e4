// The pipeline that a person gives as `--passes`: checked before anything is opened, so that a wrong one is wrong usage.
#pragma once
#include "runtime/artifact/Status.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace xfmr {

/// Registers the passes that such a pipeline may name and parses it. Errors begin with "--passes: ".
Status checkUserPasses(const std::string &pipeline);

/// What --help-pass=NAME prints, for CLI11; ends the parsing.
void showPassHelp(const std::string &flag);

/// Runs it over the module.
Status runUserPasses(mlir::ModuleOp module, const std::string &pipeline);

} // namespace xfmr
