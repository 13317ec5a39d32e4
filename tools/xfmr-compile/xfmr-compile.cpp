// xfmr-compile: a model becomes one file that the runtime executes.
#include "passes/lowering/Passes.h"
#include "runtime/profiles/Profile.h"
#include "tools/CommandLine.h"
#include "tools/MlirOptions.h"
#include "tools/model/UserPasses.h"
#include "tools/xfmr-compile/Compile.h"
#include <iostream>

using namespace xfmr;

static int usage(const std::string &message) {
  std::cerr << "xfmr-compile: error: " << message << "\n";
  return 2;
}

int main(int argc, char **argv) {
  CLI::App app("Compiles a model (a Hugging Face folder, .gguf, .mlir or .mlirbc) to an .xfm artifact.");
  CompileOptions options;
  app.add_option("MODEL", options.model, "folder, config.json, .gguf, .mlir or .mlirbc; - is IR on standard input")->required();
  app.add_option("-o,--output", options.output, "FILE.xfm; with --stop-after the text of the stage");
  app.add_option("--target", options.target,
                 "what to compile for: auto, vulkan, cpu or vulkan,cpu (default auto: an artifact that runs on both over one "
                 "copy of the weights; of a later stage's text its own, printing a stage vulkan)")
      ->check(oneOf({"auto", "vulkan", "cpu", "vulkan,cpu"}));
  app.add_option("--triple", options.triple,
                 "CPU to compile for: x86_64-linux-gnu (levels v2 to v4_amx) or aarch64-linux-gnu (neon, neon_dot); "
                 "default x86_64-linux-gnu");
  app.add_option("--levels", options.levels,
                 "levels of the CPU to compile for, as v3,v4, or native for this machine's (default: all of the triple)");
  addPassOptions(app, options.passes, ", run before the fusions");
  app.add_option("--type", options.type, "round matrices to this type (default: as they are stored)")
      ->check(oneOf({"f32", "f16", "bf16"}));
  app.add_flag("!--no-fuse", options.fuse, "leave q/k/v and gate/up projections apart, and adapters unfolded outside experts");
  app.add_option("--adapter", options.adapter, "folder of a low-rank adapter (PEFT)");
  app.add_option("--max-context", options.maxContext, "positions of the cache (default: the model's, at most 8192)")
      ->check(between(1, 1 << 30));
  app.add_option("--chunk", options.chunk, "most tokens of one prefill run (default 256, 512 on the CPU)")
      ->check(between(1, 1 << 16));
  app.add_option("--rope-length", options.ropeLength, "fix length-dependent rotary frequencies for this length")
      ->check(between(1, 1 << 24));
  app.add_flag("--pairs", options.pairs,
               "an encoder with embeddings of segments (BERT) reads two texts as one too; its table of words is stored twice");
  app.add_option("--kv", options.kv, "type of the key/value cache: f32, f16 or q8 (default: f32 for f32 weights, else f16)")
      ->check(oneOf({"f32", "f16", "q8"}));
  app.add_option("--moe", options.moe, "route of mixtures: by a cost model, or forced (default auto)")
      ->check(oneOf({"auto", "grouped", "by-id"}));
  auto *bindingBytes = app.add_option("--binding-bytes", options.bindingBytes,
                                      "most of a weight in one binding (default 128 MiB, which every device allows)")
                           ->check(between(1 << 16, 1ll << 32));
  app.add_option("--device-profile", options.deviceProfile,
                 "family of Vulkan devices to compile for, or one of it: the range of its bindings, and of kernels the variants "
                 "it takes, and the portable ones (default: any device)")
      ->check(oneOf(profiles::names()))->excludes(bindingBytes);
  app.add_option("--source", options.sources, "NAME=PATH: where a weight source lies");
  app.add_flag("--verbose", options.verbose,
               "show remarks of the passes, the kernels with what they cost, and the dispatches and barriers of the phases");
  app.add_flag("--remarks", options.remarks, "show what passes say about each op");
  const std::vector<std::pair<std::string, Stage>> stages = {{"import", Stage::Import},   {"optimize", Stage::Optimize},
                                         {"phases", Stage::Phases},   {"regions", Stage::Regions},
                                         {"dispatch", Stage::Dispatch}, {"plan", Stage::Plan},
                                         {"codegen", Stage::Codegen}, {"emit", Stage::Emit}};
  app.add_option("--stop-after", options.stopAfter, "print this stage instead of writing an artifact")
      ->transform(wordFor(stages));
  app.footer("Options of MLIR's pass manager work as in xfmr-opt: --mlir-timing, --mlir-print-ir-after-all, "
             "--mlir-print-ir-tree-dir=DIR, --mlir-pass-statistics, ...");
  registerXfmrLoweringPasses(); // names that --mlir-print-ir-after= may have
  if (std::optional<int> status = takeMlirOptions(argc, argv, "xfmr-compile"))
    return *status;
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-compile"))
    return *status;
  if (Status status = checkUserPasses(options.passes); status.failed())
    return usage(status.message());
  if (options.output.empty() && options.stopAfter == Stage::Emit)
    return usage("-o FILE.xfm is required");
  Status status = compileModel(options);
  if (status.ok())
    return 0;
  std::cerr << "xfmr-compile: error: " << status.message() << "\n";
  return 1;
}
