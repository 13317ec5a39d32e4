// xfmr-inspect: what a model consists of and what a token costs, what a feed-forward network of it does, or what an
// artifact holds.
#include "runtime/profiles/Profile.h"
#include "tools/CommandLine.h"
#include "tools/model/UserPasses.h"
#include "tools/xfmr-inspect/Inspect.h"
#include "tools/xfmr-inspect/ShowArtifact.h"
#include <iostream>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::inspect;

static int fail(const std::string &message, int status) {
  std::cerr << "xfmr-inspect: error: " << message << "\n";
  return status;
}

static int showMemory(const InspectOptions &options, const MemoryOptions &place, bool json) {
  FfnMemory memory;
  if (Status status = inspectMemory(options, place, memory); status.failed())
    return fail(status.message(), 1);
  if (json)
    std::cout << toJson(memory).dump(1) << "\n";
  else
    printMemory(memory, std::cout);
  return 0;
}

int main(int argc, char **argv) {
  CLI::App app("Counts a model's parameters by kind and by block, and what one token costs; or shows what a "
               "feed-forward network does on a text; or lists what an .xfm artifact holds.");
  InspectOptions options;
  MemoryOptions place;
  std::string page, network, device;
  bool json = false;
  app.add_option("MODEL", options.model, "folder, config.json, .gguf, .mlir, .mlirbc or .xfm")->required();
  app.add_option("--adapter", options.adapter, "folder of a low-rank adapter (PEFT), shown beside the layers");
  addPassOptions(app, options.passes, ": show the model before and after it");
  app.add_option("--source", options.sources, "NAME=PATH: where a weight source lies")->allow_extra_args(false);
  app.add_flag("--json", json, "print JSON instead of tables");
  auto *html = app.add_option("--html", page, "write one self-contained page with charts");
  app.add_option("--device-profile", device,
                 "of an artifact: what it can do at most on a Vulkan device that is not here, or on a family of them")
      ->check(oneOf(profiles::names()))->excludes(html);
  auto *ffn = app.add_option("--ffn", network,
                             "LAYER: the channels of its feed-forward network that contribute most on a text; "
                             "LAYER:CHANNEL: where one fires and which tokens it promotes (after --passes)");
  auto *text = app.add_option("--text", place.texts, "UTF-8 text for --ffn; may be given again");
  auto *top = app.add_option("--top", place.top, "channels, or tokens of each list, that --ffn shows (default 10)");
  auto *window = app.add_option("--window", place.window, "tokens of a window of the text, the begin token included "
                                                          "(default 256)");
  ffn->needs(text)->excludes(html);
  text->needs(ffn)->allow_extra_args(false);
  top->needs(ffn);
  window->needs(ffn);
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-inspect"))
    return *status;
  if (llvm::StringRef(options.model).ends_with(".xfm")) {
    if (!page.empty() || !options.passes.empty() || !options.adapter.empty() || *ffn)
      return fail("--html, --passes, --adapter and --ffn are for models, not for artifacts", 2);
    const Status status = showArtifact(options.model, device, json, std::cout);
    return status.ok() ? 0 : fail(status.message(), 1);
  }
  if (!device.empty())
    return fail("--device-profile is for artifacts, not for models", 2);
  if (Status status = checkUserPasses(options.passes); status.failed())
    return fail(status.message(), 2);
  if (*ffn) {
    if (!parseMemoryPlace(network, place))
      return fail("--ffn is \"" + network + "\", expected LAYER or LAYER:CHANNEL", 2);
    if (place.top < 1)
      return fail("--top is " + std::to_string(place.top) + ", expected 1 or more", 2);
    return showMemory(options, place, json);
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
