// xfmr-compare: how much a text's predictions of model B differ from those of model A.
#include "tools/CommandLine.h"
#include "tools/xfmr-compare/Comparison.h"
#include "tools/xfmr-compare/Windows.h"
#include "weights/WeightSources.h"
#include "llvm/Support/Parallel.h"
#include <cstdio>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::compare;

static int fail(const std::string &message) {
  std::fprintf(stderr, "xfmr-compare: error: %s\n", message.c_str());
  return 1;
}

static Status openSide(const std::string &path, SourceOptions &sources, bool reference, std::unique_ptr<Side> &out) {
  if (path.size() > 4 && path.compare(path.size() - 4, 4, ".xfm") == 0)
    return openArtifact(path, out);
  return reference ? openInterpreted(path, sources, out) : openCompiled(path, sources, out);
}

// Scores positions 0 .. N-2 of every window.
static Status compareOn(const std::vector<std::vector<int32_t>> &windows, Side &a, Side &b,
                        Comparison &out) {
  const bool terminal = ::isatty(STDERR_FILENO);
  Logits logitsA, logitsB; // [N, vocab]
  for (size_t i = 0; i < windows.size(); ++i) {
    Status status = a.logits(windows[i], logitsA);
    if (status.ok())
      status = b.logits(windows[i], logitsB);
    if (status.failed())
      return status;
    // Position by position on all threads, summed in order: the same on any number of them.
    std::vector<Comparison> positions(windows[i].size() - 1);
    llvm::parallelFor(0, positions.size(), [&](size_t t) {
      std::vector<double> rowA, rowB;
      positions[t].add(logitsA.row(t, rowA), logitsB.row(t, rowB), a.vocab, windows[i][t + 1]);
    });
    for (const Comparison &position : positions)
      out.add(position);
    if (terminal)
      std::fprintf(stderr, "\r%zu of %zu windows%s", i + 1, windows.size(),
                   i + 1 == windows.size() ? "\n" : "");
  }
  return Status::success();
}

int main(int argc, char **argv) {
  CLI::App app("Compares the predictions of two models on a text.");
  std::string pathA, pathB, text;
  int64_t window = 256;
  bool json = false, reference = false;
  std::vector<std::string> sourceOptions;
  app.add_option("A", pathA, "the model to compare with: folder, .mlir, .mlirbc or .xfm")->required();
  app.add_option("B", pathB, "the model compared")->required();
  app.add_option("--text", text, "text file")->required();
  app.add_option("--window", window, "tokens of a window, its begin token included")
      ->check(between(2, 1 << 24))->capture_default_str();
  app.add_option("--source", sourceOptions, "NAME=PATH: where a weight source of IR lies")->allow_extra_args(false);
  app.add_flag("--reference", reference, "run models that are no .xfm by the reference interpreter, in f64 and slowly, "
                                         "not by code compiled for this CPU");
  app.add_flag("--json", json, "one JSON object");
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-compare"))
    return *status;

  std::unique_ptr<Side> a, b;
  std::vector<std::vector<int32_t>> windows;
  Comparison result;
  SourceOptions sources;
  Status status = parseSourceOptions(sourceOptions, sources.paths);
  if (status.ok())
    status = openSide(pathA, sources, reference, a);
  if (status.ok())
    status = openSide(pathB, sources, reference, b);
  if (status.ok())
    status = sources.check();
  if (status.ok())
    status = readWindows(*a, *b, text, window, windows);
  for (Side *side : {a.get(), b.get()})
    if (status.ok())
      status = side->prepare(window);
  if (status.ok())
    status = compareOn(windows, *a, *b, result);
  if (status.failed())
    return fail(status.message());
  std::printf(json ? "{\"tokens\": %lld, \"kl_mean\": %.9g, \"max_abs_logit_diff\": %.9g, "
                     "\"top1_agreement\": %.9g, \"nll_a\": %.9g, \"nll_b\": %.9g}\n"
                   : "tokens %lld\nKL(A||B) %.6g nats a token\nlargest logit difference %.6g\n"
                     "same top token %.6g\nnegative log-likelihood of A %.6g\n"
                     "negative log-likelihood of B %.6g\n",
              static_cast<long long>(result.tokens), result.klMean(), result.maxAbsLogitDiff,
              result.top1Agreement(), result.nllMeanA(), result.nllMeanB());
  return 0;
}
