// xfmr-calibrate: runs a model on texts and writes what pruning passes need to know of its units: sums, Gram matrices
// and router statistics, under a fingerprint of the model's weights.
#include "passes/transforms/prune/Curves.h"
#include "tools/CommandLine.h"
#include "tools/model/Diagnostics.h"
#include "tools/model/ModelFile.h"
#include "weights/Diagnostics.h"

#include <iostream>
#include <unistd.h>

using namespace xfmr;

namespace {

int fail(const std::string &message) {
  std::cerr << "xfmr-calibrate: error: " << message << "\n";
  return 1;
}

int calibrate(const std::string &path, const std::vector<std::string> &sources, const CalibrationOptions &options) {
  ModelFile file;
  file.context = std::make_unique<mlir::MLIRContext>();
  printDiagnostics(*file.context, "xfmr-calibrate");
  if (Status status = ModelFile::open(path, sources, file); status.failed())
    return fail(status.message());
  CollectedErrors errors(file.context.get());
  const bool terminal = isatty(STDERR_FILENO);
  auto progress = [&](int64_t done, int64_t total) {
    if (terminal)
      std::cerr << "\rlayer " << done << " of " << total << (done == total ? "\r                    \r" : "") << std::flush;
  };
  StatisticsFile statistics;
  if (mlir::failed(collectStatistics(file.model, options, progress, statistics)))
    return fail(errors.status("the model cannot be calibrated").message());
  if (Status status = statistics.write(options.out, fingerprintOf(file.model, file.sources)); status.failed())
    return fail(status.message());
  std::cout << "statistics of " << statistics.size() << " modules\n";
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Collects statistics of a model on texts, for pruning passes (stats=FILE).");
  std::string model;
  std::vector<std::string> sources;
  CalibrationOptions options;
  options.method = UnitMethod::activation;
  options.path = CalibrationPath::dense;
  app.add_option("MODEL", model, "folder, .gguf, .mlir or .mlirbc")->required();
  app.add_option("--text", options.texts, "UTF-8 text; may be given again")->required();
  app.add_option("-o", options.out, "file to write (safetensors)")->required();
  app.add_option("--window", options.window, "tokens of a window, the begin token included (default 256)");
  app.add_option("--source", sources, "NAME=PATH: where a weight source lies");
  if (std::optional<int> status = parseCommandLine(app, argc, argv, "xfmr-calibrate"))
    return *status;
  return calibrate(model, sources, options);
}
