// See UserPasses.h.
#include "tools/model/UserPasses.h"
#include "passes/PassHelp.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "weights/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "tools/CommandLine.h"
#include <iostream>

using namespace mlir;

namespace xfmr {

// MLIR repeats the pipeline below the message, with a mark under it.
static std::string firstLine(StringRef error) {
  StringRef line = error.trim().split('\n').first;
  line.consume_front("MLIR Textual PassPipeline Parser:1:"); // and a column
  return line.drop_while([](char c) { return c >= '0' && c <= '9'; }).ltrim(":").ltrim().str();
}

// What a person who knows command lines writes, and names that are nearly right.
static std::string hint(StringRef pipeline) {
  const std::vector<std::string> known = documentedPasses();
  SmallVector<StringRef> parts;
  pipeline.split(parts, ',');
  for (StringRef part : parts) {
    const StringRef name = part.trim().take_while([](char c) { return llvm::isAlnum(c) || c == '-' || c == '_'; });
    StringRef rest = part.trim().drop_front(name.size());
    if (llvm::is_contained(known, name) && rest.consume_front("=")) {
      rest = rest.trim("\"'");
      return "; in a pipeline it is " + name.str() + "{" + rest.str() + "}";
    }
    if (name.starts_with("xfmr-") && !llvm::is_contained(known, name))
      if (std::string near = didYouMean(name.str(), known); !near.empty())
        return near;
  }
  return "";
}

static Status addTo(PassManager &manager, const std::string &pipeline) {
  registerXfmrPasses();
  registerTransformsPasses();
  std::string error;
  if (failed(parseNestedPipeline(pipeline, manager, error)))
    return Status::error("--passes: " + firstLine(error) + hint(pipeline));
  return Status::success();
}

void showPassHelp(const std::string &flag) {
  const std::string page = passHelp(flag);
  if (page.empty())
    throw CLI::ValidationError("--help-pass", "is '" + flag + "', expected the name of a pass" +
                                                  (nearestWord(flag, documentedPasses()).empty()
                                                       ? ": " + llvm::join(documentedPasses(), ", ")
                                                       : didYouMean(flag, documentedPasses())));
  std::cout << page;
  throw CLI::Success();
}

Status checkUserPasses(const std::string &pipeline) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  PassManager manager = PassManager::on<ModuleOp>(&context);
  CollectedErrors said(&context); // the text of the error is enough
  return addTo(manager, pipeline);
}

Status runUserPasses(ModuleOp module, const std::string &pipeline) {
  PassManager manager = PassManager::on<ModuleOp>(module.getContext());
  if (Status status = addTo(manager, pipeline); status.failed())
    return status;
  CollectedErrors errors(module.getContext());
  return succeeded(manager.run(module)) ? Status::success() : errors.status("--passes: a pass failed");
}

} // namespace xfmr
