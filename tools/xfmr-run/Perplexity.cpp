// --perplexity; see Perplexity.h.
#include "tools/xfmr-run/Perplexity.h"
#include "tools/xfmr-run/MoeStats.h"
#include "tools/xfmr-run/TextWindows.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::run;

double xfmr::run::negativeLogLikelihood(const float *logits, uint32_t vocab, int32_t id) {
  double largest = *std::max_element(logits, logits + vocab), sum = 0;
  for (uint32_t v = 0; v < vocab; ++v)
    sum += std::exp(static_cast<double>(logits[v]) - largest);
  return std::log(sum) + largest - static_cast<double>(logits[id]);
}

namespace {

struct Score {
  const std::vector<int32_t> &window; // BOS and one run
  uint32_t vocab;
  double sum = 0;
};

void onLogits(void *user, uint32_t first, uint32_t rows, const float *logits, size_t stride) {
  Score &score = *static_cast<Score *>(user);
  for (uint32_t r = 0; r < rows && first + r + 1 < score.window.size(); ++r)
    score.sum += negativeLogLikelihood(logits + r * stride, score.vocab, score.window[first + r + 1]);
}

/// Name of a text in tables: its file without folder and ending.
std::string textName(const std::string &path) {
  size_t slash = path.find_last_of('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.find_last_of('.'));
}

Status scoreText(const ModelHandle &model, const Options &options, const std::string &path, MoeTextStats &moeStats) {
  std::vector<std::vector<int32_t>> windows;
  if (Status s = appendWindows(model, options, path, windows); s.failed())
    return s;
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  double sum = 0;
  size_t scored = 0;
  for (const std::vector<int32_t> &window : windows) {
    Score score{window, infoOf(model).vocab_size};
    xfmr_session_reset(session.get());
    if (Status s = checked(xfmr_prefill_logits(session.get(), window.data(), window.size(), onLogits, &score));
        s.failed())
      return s;
    sum += score.sum;
    scored += window.size() - 1;
    if (::isatty(STDERR_FILENO))
      std::fprintf(stderr, "\r%zu of %zu windows", scored / (window.size() - 1), windows.size());
  }
  if (::isatty(STDERR_FILENO))
    std::fprintf(stderr, "\n");
  double mean = sum / static_cast<double>(scored);
  if (options.json)
    std::printf("{\"tokens\": %zu, \"nll\": %.9g, \"perplexity\": %.9g}\n", scored, mean, std::exp(mean));
  else
    std::printf("%sperplexity %.6g over %zu tokens (%.6g nats a token)\n",
                options.perplexityPaths.size() > 1 ? (textName(path) + ": ").c_str() : "", std::exp(mean), scored,
                mean);
  return options.moeStatsPath.empty() ? Status::success() : readMoeStats(model, session, textName(path), moeStats);
}

} // namespace

Status xfmr::run::perplexity(const ModelHandle &model, const Options &options) {
  std::vector<MoeTextStats> texts(options.perplexityPaths.size());
  for (size_t i = 0; i < texts.size(); ++i)
    if (Status s = scoreText(model, options, options.perplexityPaths[i], texts[i]); s.failed())
      return s;
  if (options.moeStatsPath.empty())
    return Status::success();
  if (texts.size() > 1 && !options.json)
    printMoeTable(texts);
  return writeMoeStats(texts, options.moeStatsPath);
}
