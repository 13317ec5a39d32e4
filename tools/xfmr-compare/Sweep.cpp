// See Sweep.h.
#include "tools/xfmr-compare/Sweep.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace xfmr::compare {

Status compareOn(const std::vector<std::vector<int32_t>> &windows, Side &a, std::vector<Row> &rows) {
  Logits logitsA, logitsB; // [N, vocab]
  for (size_t i = 0; i < windows.size(); ++i) {
    if (Status status = a.logits(windows[i], logitsA); status.failed())
      return status;
    for (Row &row : rows) {
      if (Status status = row.side->logits(windows[i], logitsB); status.failed())
        return status;
      // Position by position on all threads, summed in order: the same on any number of them.
      std::vector<Comparison> positions(windows[i].size() - 1);
      llvm::parallelFor(0, positions.size(), [&](size_t t) {
        std::vector<double> rowA, rowB;
        positions[t].add(logitsA.row(t, rowA), logitsB.row(t, rowB), a.vocab, windows[i][t + 1]);
      });
      for (const Comparison &position : positions)
        row.result.add(position);
    }
    showProgress(i + 1, windows.size());
  }
  return Status::success();
}

void showProgress(int64_t done, int64_t windows) {
  static const bool terminal = ::isatty(STDERR_FILENO);
  if (terminal)
    std::fprintf(stderr, "\r%lld of %lld windows%s", static_cast<long long>(done), static_cast<long long>(windows),
                 done == windows ? "\n" : "");
}

void printLabel(const std::string &label, const Side &side) {
  std::string quoted;
  for (char c : label)
    quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  std::printf("{\"b\": \"%s\", \"parameters\": %llu, ", quoted.c_str(), static_cast<unsigned long long>(side.parameters));
}

void printObjects(size_t count, llvm::function_ref<void(size_t, bool)> printOne) {
  const bool list = count > 1;
  for (size_t i = 0; i < count; ++i) {
    std::fputs(!list ? "" : i ? ",\n " : "[", stdout);
    printOne(i, list);
  }
  std::puts(list ? "]" : "");
}

static void printOne(const Row &row, bool json, bool list) {
  const Comparison &result = row.result;
  if (json && list)
    printLabel(row.label, *row.side);
  std::printf(json ? "%s\"tokens\": %lld, \"kl_mean\": %.9g, \"max_abs_logit_diff\": %.9g, "
                     "\"top1_agreement\": %.9g, \"nll_a\": %.9g, \"nll_b\": %.9g}"
                   : "%stokens %lld\nKL(A||B) %.6g nats a token\nlargest logit difference %.6g\n"
                     "same top token %.6g\nnegative log-likelihood of A %.6g\n"
                     "negative log-likelihood of B %.6g",
              json && !list ? "{" : "", static_cast<long long>(result.tokens), result.klMean(), result.maxAbsLogitDiff,
              result.top1Agreement(), result.nllMeanA(), result.nllMeanB());
}

void printRows(const Side &a, const std::vector<Row> &rows, bool json) {
  if (rows.size() == 1 || json) {
    printObjects(rows.size(), [&](size_t i, bool list) { printOne(rows[i], json, list); });
    return;
  }
  size_t widest = 1;
  for (const Row &row : rows)
    widest = std::max(widest, row.label.size());
  const auto line = [&](const std::string &label, uint64_t parameters, const char *kl, const char *top, double nll) {
    const std::string count = parameters ? std::to_string(parameters) : "-";
    std::printf("%-*s  %12s  %10s  %8s  %10.4f\n", static_cast<int>(widest), label.c_str(), count.c_str(), kl, top,
                nll);
  };
  std::printf("%-*s  %12s  %10s  %8s  %10s\n", static_cast<int>(widest), "B", "parameters", "KL(A||B)", "same top",
              "nats/token");
  line("A", a.parameters, "0", "1", rows.front().result.nllMeanA());
  for (const Row &row : rows) {
    char kl[32], top[32];
    std::snprintf(kl, sizeof kl, "%.4g", row.result.klMean());
    std::snprintf(top, sizeof top, "%.4f", row.result.top1Agreement());
    line(row.label, row.side->parameters, kl, top, row.result.nllMeanB());
  }
}

} // namespace xfmr::compare
