// xfmr-run: runs an artifact. Results go to stdout, everything else to stderr. Status 0: done; 1: the
// input or the device could not be used; 2: wrong usage; 130: ended by Ctrl-C.
#include "tools/LastWords.h"
#include "tools/xfmr-run/Bench.h"
#include "tools/xfmr-run/Chat.h"
#include "tools/xfmr-run/Devices.h"
#include "tools/xfmr-run/Embed.h"
#include "tools/xfmr-run/Explain.h"
#include "tools/xfmr-run/Generate.h"
#include "tools/xfmr-run/Interrupt.h"
#include "tools/xfmr-run/MoeTokens.h"
#include "tools/xfmr-run/Perplexity.h"
#include "tools/xfmr-run/Prompt.h"
#include "tools/xfmr-run/SelfTest.h"
#include "tools/xfmr-run/TeacherRun.h"
#include "tools/xfmr-run/Tune.h"
#include <chrono>
#include <cstdio>

using namespace xfmr;
using namespace xfmr::run;

/// Whether the mode asks for more than texts to be read; --embed and generation speak for themselves.
static bool continues(Mode mode) {
  return mode == Mode::bench || mode == Mode::explain || mode == Mode::perplexity || mode == Mode::moeTokens ||
         mode == Mode::chat;
}

static Status runMode(const Options &options) {
  if (options.mode == Mode::devices)
    return listDevices(options);
  if (options.mode == Mode::selfTest)
    return selfTest(options);
  if (options.mode == Mode::tune)
    return tune(options);
  auto start = std::chrono::steady_clock::now();
  xfmr_model_open_options wanted = {};
  wanted.size = sizeof wanted;
  wanted.device = options.mode == Mode::tokenize ? "none" : options.device.c_str();
  wanted.threads = options.threads.value_or(0);
  xfmr_model *opened = nullptr;
  if (Status s = checked(xfmr_model_open_with(options.artifact.c_str(), &wanted, &opened)); s.failed())
    return s;
  ModelHandle model(opened);
  const xfmr_model_details details = detailsOf(model);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.verbose)
    std::fprintf(stderr, "engine: %s (%s), the artifact holds a program for %s\n%sload: %.1f ms\n", details.engine,
                 details.why, details.targets, infoOf(model).report, seconds * 1e3);
  if (options.threads && !details.threads && options.mode != Mode::tokenize)
    std::fprintf(stderr, "xfmr-run: --threads is for the CPU and has no effect on '%s'\n", infoOf(model).device);
  if (details.is_encoder && continues(options.mode))
    return Status::error(
        "the model is an encoder: --bench, --explain, --perplexity, --moe-tokens and --chat need one that generates");
  if (details.reads_source && (continues(options.mode) || options.mode == Mode::teacher || options.chat))
    return Status::error(
        "the model is an encoder with a decoder: --bench, --explain, --perplexity, --moe-tokens, --teacher and --chat "
        "need one that continues its prompt");
  switch (options.mode) {
  case Mode::tokenize: return tokenize(model, options);
  case Mode::moeTokens: return moeTokens(model, options);
  case Mode::perplexity: return perplexity(model, options);
  case Mode::teacher: return teach(model, options);
  case Mode::bench: return bench(model, options, seconds);
  case Mode::explain: return explain(model, options);
  case Mode::chat: return chat(model, options);
  case Mode::embed: return embed(model, options);
  case Mode::devices:
  case Mode::selfTest:
  case Mode::tune:
  case Mode::generate: break;
  }
  return generate(model, options);
}

int main(int argc, char **argv) {
  installLastWords("xfmr-run");
  Options options;
  int exitCode = 0;
  if (!parseOptions(argc, argv, options, exitCode))
    return exitCode;
  catchInterrupts();
  Status status = runMode(options);
  if (status.ok() && std::fflush(stdout) != 0)
    status = Status::error("cannot write to standard output");
  if (uint32_t count = xfmr_checker_messages(); count && status.ok())
    status = Status::error("the validation layer reported " + std::to_string(count) + " messages");
  if (status.failed()) {
    std::fprintf(stderr, "xfmr-run: error: %s\n", status.message().c_str());
    return 1;
  }
  return wasInterrupted() ? kInterruptedStatus : 0;
}
