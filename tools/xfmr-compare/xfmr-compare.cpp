// xfmr-compare: how much predictions of other models differ from those of model A on a text.
#include "tools/CommandLine.h"
#include "tools/model/UserPasses.h"
#include "tools/xfmr-compare/Sweep.h"
#include "tools/xfmr-compare/TeacherSweep.h"
#include "tools/xfmr-compare/Windows.h"
#include "weights/WeightSources.h"
#include <cstdio>

using namespace xfmr;
using namespace xfmr::compare;

static int fail(const std::string &message) {
  std::fprintf(stderr, "xfmr-compare: error: %s\n", message.c_str());
  return 1;
}

static int usage(const std::string &message) {
  std::fprintf(stderr, "xfmr-compare: error: %s\n", message.c_str());
  return 2;
}

int main(int argc, char **argv) {
  CLI::App app("Compares the predictions of a model with those of others on a text.");
  std::string pathA, text, teacher;
  std::vector<std::string> others, pipelines;
  int64_t window = 256;
  bool json = false, reference = false;
  std::vector<std::string> sourceOptions;
  app.add_option("A", pathA, "the model to compare with: folder, .mlir, .mlirbc or .xfm; with --teacher another B")->required();
  app.add_option("B", others, "the model compared; several give a table");
  app.add_option("--passes", pipelines, "compare A with what it is after this MLIR pipeline; may be given again, for a table")
      ->type_name("PIPELINE")->allow_extra_args(false);
  app.add_option("--text", text, "text file");
  app.add_option("--teacher", teacher, "what xfmr-run --teacher wrote, which holds the text too: all models are compared with it")
      ->type_name("FOLDER");
  app.add_option("--window", window, "tokens of a window, its begin token included")
      ->check(between(2, 1 << 24))->capture_default_str();
  app.add_option("--source", sourceOptions, "NAME=PATH: where a weight source of IR lies")->allow_extra_args(false);
  app.add_flag("--reference", reference, "run models that are no .xfm by the reference interpreter, in f64 and slowly, "
                                         "not by code compiled for this CPU");
  app.add_flag("--json", json, "one JSON object");
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-compare"))
    return *status;

  if (teacher.empty() == text.empty())
    return usage(text.empty() ? "--text is required: text file, or --teacher" : "--teacher holds its text; give --text or --teacher");
  if (!teacher.empty() && app.count("--window"))
    return usage("--window goes with --text; a teacher's windows are as they are");
  if (others.empty() && pipelines.empty() && teacher.empty())
    return usage("B is required: the model compared, or --passes of A");
  if (!pipelines.empty() && llvm::StringRef(pathA).ends_with(".xfm"))
    return usage("--passes are for models, not for artifacts");
  for (const std::string &pipeline : pipelines)
    if (Status status = checkUserPasses(pipeline); status.failed())
      return usage(status.message());

  if (!teacher.empty()) {
    const Status status = besideTeacher({teacher, pathA, others, pipelines, sourceOptions, reference, json});
    return status.failed() ? fail(status.message()) : 0;
  }
  std::unique_ptr<Side> a;
  std::vector<Row> rows;
  std::vector<std::vector<int32_t>> windows;
  SourceOptions sources;
  Status status = parseSourceOptions(sourceOptions, sources.paths);
  if (status.ok())
    status = openSide(pathA, "", sources, reference, a);
  const auto add = [&](const std::string &label, const std::string &path, const std::string &passes) {
    rows.push_back({label, nullptr, {}});
    if (status.ok())
      status = openSide(path, passes, sources, reference, rows.back().side);
  };
  for (const std::string &path : others)
    add(path, path, "");
  for (const std::string &pipeline : pipelines)
    add(pipeline, pathA, pipeline);
  if (status.ok())
    status = sources.check();
  for (Row &row : rows)
    if (status.ok())
      status = readWindows(*a, *row.side, text, window, windows);
  if (status.ok())
    status = a->prepare(window);
  for (Row &row : rows)
    if (status.ok())
      status = row.side->prepare(window);
  if (status.ok())
    status = compareOn(windows, *a, rows);
  if (status.failed())
    return fail(status.message());
  printRows(*a, rows, json);
  return 0;
}
