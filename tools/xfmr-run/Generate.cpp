// Generation; see Generate.h.
#include "tools/xfmr-run/Generate.h"
#include "tools/xfmr-run/LogitsFile.h"
#include "tools/xfmr-run/MoeStats.h"
#include "tools/xfmr-run/Prompt.h"
#include "tools/xfmr-run/Watching.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

using namespace xfmr;
using namespace xfmr::run;

namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Prints ids or their text to stdout as they come.
class Printer {
public:
  Printer(DecoderHandle decoder) : decoder(std::move(decoder)) {}

  /// False when stdout takes no more.
  bool print(int32_t id) {
    ++count;
    if (!decoder)
      return write((count > 1 ? " " : "") + std::to_string(id));
    const char *text;
    size_t bytes;
    if (xfmr_decoder_push(decoder.get(), id, &text, &bytes) != XFMR_OK)
      return false;
    return write({text, bytes});
  }
  bool finish() {
    const char *text;
    size_t bytes;
    if (decoder && xfmr_decoder_flush(decoder.get(), &text, &bytes) == XFMR_OK)
      write({text, bytes});
    return write("\n");
  }
  uint32_t printed() const { return count; }

private:
  bool write(const std::string &text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  }
  DecoderHandle decoder; // null: ids
  uint32_t count = 0;
};

/// A decoder that has seen the prompt, so that the first generated token joins it as in the whole text.
Status decoderAfter(const ModelHandle &model, const std::vector<int32_t> &prompt, DecoderHandle &out) {
  xfmr_decoder *decoder = nullptr;
  if (Status s = checked(xfmr_decoder_create(model.get(), &decoder)); s.failed())
    return Status::error(s.message() + "; print the ids of tokens with --ids");
  out.reset(decoder);
  const char *text;
  size_t bytes;
  for (int32_t id : prompt)
    if (Status s = checked(xfmr_decoder_push(decoder, id, &text, &bytes)); s.failed())
      return s;
  return Status::success();
}

Status runPrompt(const ModelHandle &model, const SessionHandle &session, const Options &options,
                 const std::vector<int32_t> &prompt) {
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

Status xfmr::run::generate(const ModelHandle &model, const Options &options) {
  std::vector<int32_t> prompt;
  if (Status s = promptIds(model, options, prompt); s.failed())
    return s;
  // With --logits alone nothing is generated.
  bool continues = options.logitsPath.empty() || options.count;
  DecoderHandle decoder;
  if (!options.ids && continues)
    if (Status s = decoderAfter(model, prompt, decoder); s.failed())
      return s;
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;

  Watching watching(model, options);
  if (Status s = watching.begin(session); s.failed())
    return s;
  auto start = Clock::now();
  if (Status s = runPrompt(model, session, options, prompt); s.failed())
    return s;
  if (options.verbose) {
    reportSpeed("prompt", prompt.size(), secondsSince(start));
    reportPhases(model, prompt.size());
  }
  if (!continues) {
    Status status = watching.finish();
    return status.ok() ? saveMoeStats(model, session, options) : status;
  }

  start = Clock::now();
  Printer printer(std::move(decoder));
  xfmr_finish finish = XFMR_FINISH_LENGTH;
  auto onToken = [](void *user, int32_t id) { return static_cast<Printer *>(user)->print(id); };
  if (Status s = checked(xfmr_generate(session.get(), &options.sampling,
                                       options.count.value_or(kDefaultCount), onToken, &printer,
                                       &finish));
      s.failed())
    return s;
  if (!printer.finish() || finish == XFMR_FINISH_STOPPED)
    return Status::error("cannot write to standard output");
  if (options.verbose && printer.printed())
    reportSpeed("generated", printer.printed(), secondsSince(start));
  if (finish == XFMR_FINISH_CONTEXT)
    std::fprintf(stderr, "xfmr-run: the context of %u tokens is full\n", infoOf(model).max_context);
  if (Status s = watching.finish(); s.failed())
    return s;
  return saveMoeStats(model, session, options);
}
