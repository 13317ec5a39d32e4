// See UserPasses.h.
#include "tools/model/UserPasses.h"
#include "passes/PassHelp.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "tools/model/StandardError.h"
#include "weights/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "mlir/Transforms/Passes.h"
#include "tools/CommandLine.h"
#include "llvm/Support/Regex.h"
#include <iostream>

using namespace mlir;

namespace xfmr {

// MLIR repeats the pipeline below the message, with a mark under it.
static std::string firstLine(StringRef error) {
  StringRef line = error.trim().split('\n').first;
  line.consume_front("MLIR Textual PassPipeline Parser:1:"); // and a column
  line = line.drop_while([](char c) { return c >= '0' && c <= '9'; }).ltrim(":").ltrim();
  line.consume_front("error: ");
  line.consume_front("<Pass-Options-Parser>: ");
  return line.str();
}

// What a person who knows command lines writes, and names that are nearly right.
static std::string hint(StringRef pipeline) {
  const std::vector<std::string> known = documentedPasses();
  SmallVector<StringRef> parts;
  pipeline.split(parts, ',');
  for (StringRef part : parts) {
    part = part.substr(part.substr(0, part.find_first_of("={\"")).rfind('(') + 1); // within xfmr.model(..)
    const StringRef name = part.trim().take_while([](char c) { return llvm::isAlnum(c) || c == '-' || c == '_'; });
    StringRef rest = part.trim().drop_front(name.size());
    if (llvm::is_contained(known, name) && rest.consume_front("=")) {
      rest = rest.rtrim(')').trim("\"'");
      return "; in a pipeline it is " + name.str() + "{" + rest.str() + "}";
    }
    if (name.starts_with("xfmr-") && !llvm::is_contained(known, name))
      if (std::string near = didYouMean(name.str(), known); !near.empty())
        return near;
  }
  return "";
}

std::string noSuchPass(const std::string &flag) {
  const std::string near = didYouMean(flag, documentedPasses());
  return "is '" + flag + "', expected the name of a pass" + (near.empty() ? ": " + llvm::join(documentedPasses(), ", ") : near);
}

// "method is 'best', expected first, magnitude, …" out of ": for the --method option: Cannot find option named 'best'!"
static std::string valueFault(StringRef printed, StringRef flag) {
  SmallVector<StringRef> parts;
  if (!llvm::Regex("for the --([^ ]+) option: [^']*'([^']*)' ?(value invalid for )?([a-z]*)").match(printed, &parts))
    return "";
  std::string expected = passOption(flag, parts[1]);
  if (!parts[3].empty())
    expected = parts[4] == "uint" ? "a whole number of at least 0" : parts[4] == "double" ? "a number" : "a whole number";
  return parts[1].str() + " is '" + parts[2].str() + "', expected " + (expected.empty() ? "another value" : expected);
}

std::string pipelineMessage(StringRef error, StringRef pipeline, StringRef printed) {
  const StringRef flag = error.contains('`') ? error.split('`').second.split('`').first : pipeline;
  if (std::string fault = valueFault(printed, flag); !fault.empty())
    return fault;
  const std::string line = firstLine(error), meant = hint(pipeline);
  if (!meant.empty() || !StringRef(line).contains("does not refer"))
    return line + meant;
  return line + didYouMean(StringRef(line).split('\'').second.split('\'').first.str(), documentedPasses());
}

static Status addTo(PassManager &manager, const std::string &pipeline) {
  registerXfmrPasses();
  registerTransformsPasses();
  std::string error;
  bool parsed = false;
  const std::string printed =
      standardErrorOf([&] { parsed = succeeded(parseNestedPipeline(pipeline, manager, error)); });
  return parsed ? Status::success() : Status::error("--passes: " + pipelineMessage(error, pipeline, printed));
}

static void showPassHelp(const std::string &flag) {
  const std::string page = passHelp(flag);
  if (page.empty())
    throw CLI::ValidationError("--help-pass", noSuchPass(flag));
  std::cout << page;
  throw CLI::Success();
}

static void loadPlugin(const std::string &path) {
  llvm::Expected<PassPlugin> plugin = PassPlugin::load(path);
  if (!plugin)
    throw CLI::ValidationError("--load-pass-plugin", "is '" + path + "', expected a library of passes: " +
                                                         StringRef(llvm::toString(plugin.takeError())).split('\n').first.str());
  plugin->registerPassRegistryCallbacks();
}

void addPassOptions(CLI::App &app, std::string &pipeline, const std::string &when) {
  app.add_option("--passes", pipeline, "MLIR pipeline over the module" + when)->type_name("PIPELINE");
  app.add_option_function<std::string>("--load-pass-plugin", loadPlugin, "library with passes of your own for --passes")
      ->type_name("FILE.so")->trigger_on_parse();
  app.add_option_function<std::string>("--help-pass", showPassHelp, "what a pass does, refuses and takes")->type_name("NAME");
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
