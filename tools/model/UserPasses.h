// The pipeline that a person gives as `--passes`: checked before anything is opened, so that a wrong one is wrong usage.
#pragma once
#include "runtime/artifact/Status.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace CLI {
class App;
}

namespace xfmr {

/// Registers the passes that such a pipeline may name and parses it. Errors begin with "--passes: ".
Status checkUserPasses(const std::string &pipeline);

/// What MLIR's parser said about a pipeline, in one line with the nearest right form.
/// `printed` is what LLVM's parser of options said besides, on standard error.
std::string pipelineMessage(llvm::StringRef error, llvm::StringRef pipeline, llvm::StringRef printed);

/// "is 'prune-ffn', expected the name of a pass; did you mean xfmr-prune-ffn?"
std::string noSuchPass(const std::string &flag);

/// --passes, --load-pass-plugin and --help-pass=NAME, which prints a page and ends the parsing. `when` is the end of the
/// description of --passes.
void addPassOptions(CLI::App &app, std::string &pipeline, const std::string &when);

/// Runs it over the module.
Status runUserPasses(mlir::ModuleOp module, const std::string &pipeline);

} // namespace xfmr
