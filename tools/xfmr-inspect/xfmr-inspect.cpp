// xfmr-inspect: what a model consists of and what a token costs, what it does on a text, what a feed-forward network of it
// does, or what an artifact holds.
#include "runtime/profiles/Profile.h"
#include "tools/CommandLine.h"
#include "tools/model/UserPasses.h"
#include "tools/xfmr-inspect/Show.h"

using namespace xfmr;
using namespace xfmr::inspect;

int main(int argc, char **argv) {
  CLI::App app(
      "Counts a model's parameters by kind and by block, and what one token costs; or looks at what it does on a "
      "text; or shows what a feed-forward network does on one; or lists what an .xfm artifact holds.");
  InspectOptions options;
  MemoryOptions place;
  LookOptions look;
  std::vector<std::string> wanted;
  ProbeOptions probes;
  std::string page, network, device, kernel;
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
  app.add_option("--kernel", kernel, "of an artifact: the code of the kernel of this name, every variant of it")
      ->excludes("--device-profile")->excludes("--json");
  auto *text =
      app.add_option("--text", place.texts, "look at what the model does on this UTF-8 text; may be given again");
  auto *prompt = app.add_option("--prompt", look.text.prompt, "look at it on this text, encoded as xfmr-run does");
  auto *ids =
      app.add_option("--prompt-ids", look.text.promptIds, "look at it on these token ids: 1,2,3")->delimiter(',');
  auto *views = app.add_option("--views", wanted, "of a look only these: lens, attribution, attention, ffn, router")
                    ->delimiter(',');
  auto *against = app.add_option("--against", options.against, "of a look: another model, as which it was before");
  auto *ffn = app.add_option("--ffn", network,
                             "LAYER: the channels of its feed-forward network that contribute most on a --text; "
                             "LAYER:CHANNEL, of a mixture LAYER:EXPERT:CHANNEL: where one fires and which tokens it promotes "
                             "(after --passes)");
  auto *probe = app.add_option("--probe", probes.path,
                               "compile the model with probes (after --passes), run it on the text and write a safetensors "
                               "file of what they keep of each token");
  app.add_option("--insert-probes", probes.insert,
                 "options of xfmr-insert-probes: \"what=ffn reduce=top\" (default: all but logits, reduced)")->needs(probe);
  app.add_option("--device", probes.device, "of --probe: cpu (the default), or the index or a part of the name of a Vulkan device")
      ->needs(probe);
  auto *top = app.add_option("--top", place.top, "entries of each list (default 5 of a look, 10 of --ffn)");
  auto *window = app.add_option("--window", place.window,
                                "tokens of a window of the text, the begin token included, the last "
                                "partial one dropped (default 256 of --ffn; of a look what the model "
                                "has positions for, at most 1024, and no token is dropped)");
  ffn->needs(text);
  text->allow_extra_args(false);
  prompt->excludes(text)->excludes(ffn)->excludes(window);
  ids->excludes(text)->excludes(prompt)->excludes(ffn)->excludes(window);
  views->excludes(ffn);
  against->excludes(ffn);
  probe->excludes(ffn)->excludes(html)->excludes(views)->excludes(against)->excludes(top);
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-inspect"))
    return *status;
  const bool looks = *prompt || *ids || (*text && (!*ffn || !page.empty()));
  if (llvm::StringRef(options.model).ends_with(".xfm")) {
    if (*probe)
      return fail("--probe compiles a model; \"xfmr-run FILE.xfm --probe OUT\" writes what the probes of an artifact keep", 2);
    if (!page.empty() || !options.passes.empty() || !options.adapter.empty() || *ffn || looks)
      return fail("--html, --passes, --adapter, --ffn, --text and --prompt are for models, not for artifacts", 2);
    return kernel.empty() ? showArtifact(options.model, device, json) : showKernel(options.model, kernel);
  }
  if (!device.empty() || !kernel.empty())
    return fail("--device-profile and --kernel are for artifacts, not for models", 2);
  if (Status status = checkUserPasses(options.passes); status.failed())
    return fail(status.message(), 2);
  if (*ffn && !parseMemoryPlace(network, place))
    return fail("--ffn is \"" + network + "\", expected LAYER, LAYER:CHANNEL or LAYER:EXPERT:CHANNEL", 2);
  if (place.top < 1)
    return fail("--top is " + std::to_string(place.top) + ", expected 1 or more", 2);
  if (*ffn && page.empty())
    return showMemory(options, place, json);
  if (*ffn) // the same lists, as the page of a look shows them
    look.asked = place, wanted = {"ffn"};
  for (CLI::Option *option : {top, window, views, against, probe})
    if (*option && !looks)
      return fail(option->get_name() + " needs --text, --prompt or --prompt-ids", 2);
  if (!looks)
    return showCounts(options, page, json);
  look.text.texts = place.texts;
  if (*window || *ffn)
    look.text.window = place.window;
  if (*top && !*ffn)
    look.top = place.top;
  if (*probe)
    return showProbes(options, look.text, probes, json);
  if (std::string wrong = readViews(wanted, look.views); !wrong.empty())
    return fail(wrong, 2);
  return showLook(options, look, page, json);
}
