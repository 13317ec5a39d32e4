// See TeacherSweep.h. A shard is held at a time.
#include "tools/xfmr-compare/TeacherSweep.h"
#include "tools/xfmr-compare/Side.h"
#include "tools/xfmr-compare/Sweep.h"
#include "tools/xfmr-compare/TeacherFit.h"
#include "weights/WeightSources.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cstdio>

namespace xfmr::compare {
namespace {

struct TeacherRow {
  std::string label; // a path, or a pipeline of passes
  std::unique_ptr<Side> side;
  TeacherFit result;
};

Status openRows(const TeacherQuestion &question, std::vector<TeacherRow> &rows) {
  SourceOptions sources;
  Status status = parseSourceOptions(question.sourceOptions, sources.paths);
  const auto add = [&](const std::string &label, const std::string &path, const std::string &passes) {
    rows.push_back({label, nullptr, {}});
    if (status.ok())
      status = openSide(path, passes, sources, question.reference, rows.back().side);
  };
  add(question.first, question.first, "");
  for (const std::string &path : question.others)
    add(path, path, "");
  for (const std::string &pipeline : question.pipelines)
    add(pipeline, question.first, pipeline);
  return status.ok() ? sources.check() : status;
}

Status compareWithTeacher(const std::string &folder, std::vector<TeacherRow> &rows) {
  TeacherRun run;
  if (Status status = openTeacher(folder, run); status.failed())
    return status;
  for (TeacherRow &row : rows) {
    if (row.side->vocab != run.vocab)
      return Status::error("the teacher has a vocabulary of " + std::to_string(run.vocab) + ", " + row.label + " of " +
                           std::to_string(row.side->vocab));
    if (run.window > row.side->maxContext)
      return Status::error("the teacher's windows of " + std::to_string(run.window) + " tokens do not fit into the " +
                           std::to_string(row.side->maxContext) + " positions of " + row.label);
    if (Status status = row.side->prepare(run.window); status.failed())
      return status;
  }
  Logits logits; // [N, vocab]
  int64_t done = 0;
  for (int64_t number = 0; number < run.shards(); ++number) {
    TeacherShard shard;
    if (Status status = readTeacherShard(folder, run, number, shard); status.failed())
      return status;
    for (int64_t i = 0; i < shard.windows(run); ++i) {
      const std::vector<int32_t> window(shard.ids.begin() + i * run.window, shard.ids.begin() + (i + 1) * run.window);
      for (TeacherRow &row : rows) {
        if (Status status = row.side->logits(window, logits); status.failed())
          return status;
        // Position by position on all threads, summed in order: the same on any number of them.
        std::vector<TeacherFit> positions(run.positions());
        llvm::parallelFor(0, positions.size(), [&](size_t t) {
          std::vector<double> scratch;
          positions[t].add(run, shard, i * run.positions() + t, logits.row(t, scratch), window[t + 1]);
        });
        for (const TeacherFit &position : positions)
          row.result.add(position);
      }
      showProgress(++done, run.windows);
    }
  }
  return Status::success();
}

void printOne(const TeacherRow &row, bool json, bool list) {
  const TeacherFit &fit = row.result;
  const double n = static_cast<double>(fit.tokens);
  if (json && list)
    printLabel(row.label, *row.side);
  std::printf(
      json
          ? "%s\"tokens\": %lld, \"kl_least\": %.9g, \"kl_most\": %.9g, \"mass_left\": %.9g, \"top1_agreement\": %.9g, "
            "\"nll_teacher\": %.9g, \"nll_b\": %.9g}"
          : "%stokens %lld\nKL(teacher||B) %.6g to %.6g nats a token, for the teacher left %.3g of its probability "
            "out\n"
            "same top token %.6g\nnegative log-likelihood of the teacher %.6g\nnegative log-likelihood of B %.6g",
      json && !list ? "{" : "", static_cast<long long>(fit.tokens), fit.klLeast / n, fit.klMost / n, fit.left / n,
      static_cast<double>(fit.sameTop1) / n, fit.nllTeacher / n, fit.nllB / n);
}

void printRows(const std::vector<TeacherRow> &rows, bool json) {
  if (rows.size() == 1 || json) {
    printObjects(rows.size(), [&](size_t i, bool list) { printOne(rows[i], json, list); });
    return;
  }
  size_t widest = 1;
  for (const TeacherRow &row : rows)
    widest = std::max(widest, row.label.size());
  const int width = static_cast<int>(widest);
  std::printf("%-*s  %12s  %10s  %10s  %8s  %10s\n", width, "B", "parameters", "KL least", "KL most", "same top",
              "nats/token");
  const double n = static_cast<double>(rows.front().result.tokens);
  std::printf("%-*s  %12s  %10s  %10s  %8s  %10.4f\n", width, "teacher", "-", "0", "0", "1",
              rows.front().result.nllTeacher / n);
  for (const TeacherRow &row : rows)
    std::printf("%-*s  %12s  %10.4g  %10.4g  %8.4f  %10.4f\n", width, row.label.c_str(),
                row.side->parameters ? std::to_string(row.side->parameters).c_str() : "-", row.result.klLeast / n,
                row.result.klMost / n, static_cast<double>(row.result.sameTop1) / n, row.result.nllB / n);
}

} // namespace

Status besideTeacher(const TeacherQuestion &question) {
  std::vector<TeacherRow> rows;
  Status status = openRows(question, rows);
  if (status.ok())
    status = compareWithTeacher(question.teacher, rows);
  if (status.ok())
    printRows(rows, question.json);
  return status;
}

} // namespace xfmr::compare
