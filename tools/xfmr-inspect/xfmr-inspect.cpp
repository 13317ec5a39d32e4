// xfmr-inspect: what a model consists of and what a token costs, or what an artifact holds.
#include "tools/CommandLine.h"
#include "tools/xfmr-inspect/Contents.h"
#include "tools/xfmr-inspect/Inspect.h"
#include <iostream>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::inspect;

static int fail(const std::string &message, int status) {
  if (!message.empty())
    std::cerr << "xfmr-inspect: error: " << message << "\n";
  return status;
}

static int inspectArtifact(const std::string &path, bool json) {
  artifact::Artifact artifact;
  if (Status status = artifact::Artifact::open(path, artifact); status.failed())
    return fail(status.message(), 1);
  if (json)
    std::cout << contentsJson(artifact).dump(1) << "\n";
  else
    printContents(artifact, std::cout);
  return 0;
}

int main(int argc, char **argv) {
  CLI::App app("Counts a model's parameters by kind and by block, and what one token costs; or lists what an "
               ".xfm artifact holds.");
  InspectOptions options;
  std::string page;
  bool json = false;
  app.add_option("MODEL", options.model, "folder, config.json, .gguf, .mlir, .mlirbc or .xfm")->required();
  app.add_option("--adapter", options.adapter, "folder of a low-rank adapter (PEFT), shown beside the layers");
  app.add_option("--passes", options.passes, "MLIR pipeline over the module: show the model before and after it");
  app.add_flag("--json", json, "print JSON instead of tables");
  app.add_option("--html", page, "write one self-contained page with charts");
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-inspect"))
    return *status;
  if (llvm::StringRef(options.model).ends_with(".xfm")) {
    if (!page.empty() || !options.passes.empty() || !options.adapter.empty())
      return fail("--html, --passes and --adapter are for models, not for artifacts", 2);
    return inspectArtifact(options.model, json);
  }
  Report report;
  if (Status status = inspectModel(options, report); status.failed())
    return fail(status.message(), 1);
  if (!page.empty())
    if (Status status = writePage(report, page); status.failed())
      return fail(status.message(), 1);
  if (json)
    std::cout << toJson(report).dump(1) << "\n";
  else if (page.empty())
    printTables(report, std::cout);
  return 0;
}
