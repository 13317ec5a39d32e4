// Generation; see Generate.h.
#include "tools/xfmr-run/Generate.h"
#include "tools/xfmr-run/Continuation.h"
#include "tools/xfmr-run/Interrupt.h"
#include "tools/xfmr-run/LogitsFile.h"
#include "tools/xfmr-run/MoeStats.h"
#include "tools/xfmr-run/ProbeFile.h"
#include "tools/xfmr-run/Prompt.h"
#include "tools/xfmr-run/Watching.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;

namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Status runPrompt(const ModelHandle &model, const SessionHandle &session, const Options &options,
                 const std::vector<int32_t> &prompt) {
  if (!options.probePath.empty())
    return writeProbes(model, session, prompt, options.probePath, options.logitsPath);
  if (options.logitsPath.empty())
    return checked(xfmr_prefill(session.get(), prompt.data(), prompt.size()));
  return writeLogits(session, prompt, infoOf(model).vocab_size, options.logitsPath);
}

Status saveMoeStats(const ModelHandle &model, const SessionHandle &session, const Options &options) {
  if (options.moeStatsPath.empty())
    return Status::success();
  MoeTextStats stats;
  if (Status s = readMoeStats(model, session, "prompt", stats); s.failed())
    return s;
  return writeMoeStats({stats}, options.moeStatsPath);
}

void reportSpeed(const char *what, size_t tokens, double seconds) {
  std::fprintf(stderr, "%s: %zu tokens in %.1f ms, %.1f tokens/s\n", what, tokens, seconds * 1e3,
               static_cast<double>(tokens) / seconds);
}

/// How many runs of which phase a prompt took.
void reportPhases(const ModelHandle &model, size_t tokens) {
  const uint32_t chunk = infoOf(model).prefill_chunk;
  size_t few = 0, full = 0;
  for (size_t at = 0; at < tokens; at += chunk) {
    const uint32_t run = static_cast<uint32_t>(std::min<size_t>(chunk, tokens - at));
    ++(std::strcmp(prefillPhase(model, run), "prefill_few") == 0 ? few : full);
  }
  std::fprintf(stderr, "prompt: %zu runs of prefill, %zu of prefill_few\n", full, few);
}

} // namespace

namespace {

/// One line of --json.
void printRecord(const Options &options, const Prompt &prompt, const Continuation &made, double promptSeconds) {
  nlohmann::ordered_json record;
  if (!options.promptIds)
    record["prompt"] = prompt.text;
  record["prompt_ids"] = prompt.ids;
  record["ids"] = made.ids;
  if (!options.ids)
    record["text"] = made.text;
  record["finish"] = made.finish;
  if (options.sampling.temperature > 0)
    record["seed"] = options.sampling.seed;
  record["prompt_ms"] = promptSeconds * 1e3;
  record["ms"] = made.seconds * 1e3;
  std::printf("%s\n", record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

Status continuePrompt(const ModelHandle &model, const SessionHandle &session, const Options &options, const Prompt &prompt) {
  std::vector<int32_t> continued;
  if (Status s = continuedIds(model, options, prompt, continued); s.failed())
    return s;
  const auto start = Clock::now();
  if (detailsOf(model).reads_source)
    if (Status s = checked(xfmr_source(session.get(), prompt.ids.data(), prompt.ids.size())); s.failed())
      return s;
  if (Status s = runPrompt(model, session, options, continued); s.failed())
    return s;
  const double promptSeconds = secondsSince(start);
  if (options.verbose) {
    reportSpeed("prompt", prompt.ids.size(), promptSeconds);
    reportPhases(model, continued.size());
  }
  if (!(options.logitsPath.empty() && options.probePath.empty()) &&
      !options.count) // with files alone nothing is generated
    return Status::success();
  Continuation made;
  if (Status s = continueText(model, session, options, continued, made); s.failed())
    return s;
  if (options.verbose && !made.ids.empty())
    reportSpeed("generated", made.ids.size(), made.seconds);
  if (options.json)
    printRecord(options, prompt, made, promptSeconds);
  return Status::success();
}

} // namespace

Status xfmr::run::generate(const ModelHandle &model, const Options &options) {
  std::vector<Prompt> prompts;
  if (detailsOf(model).is_encoder)
    return Status::error("the model is an encoder and generates nothing; --embed gives the vector of a text");
  if (Status s = readPrompts(model, options, prompts); s.failed())
    return s;
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  Watching watching(model, options);
  if (Status s = watching.begin(session); s.failed())
    return s;
  for (const Prompt &prompt : prompts) {
    if (prompts.size() > 1 && !options.ids && !options.json)
      std::printf("==> %s <==\n", prompt.text.c_str());
    xfmr_session_reset(session.get());
    if (Status s = continuePrompt(model, session, options, prompt); s.failed())
      return s;
    if (wasInterrupted())
      break;
  }
  if (Status s = watching.finish(); s.failed())
    return s;
  return saveMoeStats(model, session, options);
}
