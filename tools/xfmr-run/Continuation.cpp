// Generation with printing, stop texts and Ctrl-C; see Continuation.h.
#include "tools/xfmr-run/Continuation.h"
#include "tools/xfmr-run/Interrupt.h"
#include <chrono>
#include <cstdio>

using namespace xfmr;
using namespace xfmr::run;

namespace {

class Printer {
public:
  Printer(DecoderHandle decoder, const Options &options, Continuation &out)
      : decoder(std::move(decoder)), stop(options.stops), prints(!options.json), out(out) {}

  /// False when nothing more is wanted.
  bool take(int32_t id) {
    out.ids.push_back(id);
    if (!decoder)
      return write((out.ids.size() > 1 ? " " : "") + std::to_string(id)) && !wasInterrupted();
    const char *text;
    size_t bytes;
    if (xfmr_decoder_push(decoder.get(), id, &text, &bytes) != XFMR_OK)
      return failed = true, false;
    return add(stop.push({text, bytes})) && !stop.found() && !wasInterrupted();
  }
  /// What is held back. An interrupted text ends with its last whole character.
  bool finish() {
    if (decoder && !stop.found() && !wasInterrupted()) {
      const char *text;
      size_t bytes;
      if (xfmr_decoder_flush(decoder.get(), &text, &bytes) == XFMR_OK)
        add(stop.push({text, bytes}) + (stop.found() ? "" : stop.flush()));
    }
    return write("\n") && !failed;
  }
  bool stopped() const { return stop.found(); }

private:
  bool add(const std::string &text) {
    out.text += text;
    return write(text);
  }
  bool write(const std::string &text) {
    if (prints && !text.empty() &&
        (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0))
      failed = true;
    return !failed;
  }

  DecoderHandle decoder; // null: ids
  StopText stop;
  bool prints, failed = false;
  Continuation &out;
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

} // namespace

Status xfmr::run::continueText(const ModelHandle &model, const SessionHandle &session, const Options &options,
                               const std::vector<int32_t> &prompt, Continuation &out) {
  DecoderHandle decoder;
  if (!options.ids)
    if (Status s = decoderAfter(model, prompt, decoder); s.failed())
      return s;
  if (options.verbose && options.sampling.temperature > 0)
    std::fprintf(stderr, "seed: %llu\n", static_cast<unsigned long long>(options.sampling.seed));
  const auto start = std::chrono::steady_clock::now();
  Printer printer(std::move(decoder), options, out);
  Interruptible waits;
  xfmr_finish finish = XFMR_FINISH_LENGTH;
  auto onToken = [](void *user, int32_t id) { return static_cast<Printer *>(user)->take(id); };
  if (Status s = checked(xfmr_generate_with(session.get(), &options.sampling, options.count.value_or(kDefaultCount), onToken,
                                            &printer, &finish));
      s.failed())
    return s;
  if (!printer.finish())
    return Status::error("cannot write to standard output");
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out.finish = wasInterrupted()                ? "interrupted"
               : printer.stopped()             ? "stop"
               : finish == XFMR_FINISH_END     ? "end"
               : finish == XFMR_FINISH_CONTEXT ? "context" : "length";
  if (finish == XFMR_FINISH_CONTEXT)
    std::fprintf(stderr, "xfmr-run: the context of %u tokens is full\n", infoOf(model).max_context);
  return Status::success();
}
