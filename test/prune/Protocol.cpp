// See Protocol.h.
#include "test/prune/Protocol.h"

#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/calibration/ModelData.h"
#include "runtime/artifact/AtomicFile.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"
#include <filesystem>
#include <iostream>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr::prune {

static Status writeText(const std::string &path, std::string_view text) {
  AtomicFile file;
  Status status = file.open(path);
  if (status.ok())
    status = file.write(text.data(), text.size());
  return status.ok() ? file.commit() : status;
}

Status Protocol::open(const std::string &model, const std::vector<std::string> &texts, const std::string &workFolder,
                      bool swapped, std::unique_ptr<Protocol> &out) {
  static const bool registered = (registerXfmrPasses(), true);
  (void)registered;
  out = std::make_unique<Protocol>();
  Protocol &protocol = *out;
  protocol.folder_ = workFolder;
  std::error_code ignored;
  fs::create_directories(workFolder, ignored);
  if (Status status = ModelFile::open(model, {}, protocol.file_); status.failed())
    return status;
  std::vector<std::string> scored;
  for (const std::string &path : texts) {
    std::string text;
    if (Status status = readText(path, text); status.failed())
      return status;
    const std::string stem = (fs::path(workFolder) / fs::path(path).stem()).string();
    const std::string_view first = std::string_view(text).substr(0, text.size() / 2);
    const std::string_view second = std::string_view(text).substr(text.size() / 2);
    Status status = writeText(stem + ".calibrate.txt", swapped ? second : first);
    if (status.ok())
      status = writeText(stem + ".score.txt", swapped ? first : second);
    if (status.failed())
      return status;
    protocol.textOption_ += (protocol.textOption_.empty() ? "text=" : ",") + stem + ".calibrate.txt";
    scored.push_back(stem + ".score.txt");
  }
  if (Status status = readCalibration(protocol.file_.model, scored, 256, protocol.scored_); status.failed())
    return status;
  return protocol.logits(protocol.file_.model, protocol.dense_);
}

Status Protocol::logits(ModelOp model, std::vector<MatrixF> &logProbabilities) {
  WeightSources sources;
  if (Status status = openSources(model, sources); status.failed())
    return status;
  Forward forward(sources);
  logProbabilities.clear();
  constexpr int64_t kChunk = 8;
  for (int64_t first = 0; first < scored_.count(); first += kChunk) {
    Activations known;
    known[model.getTokens()] = scored_.column(first, kChunk);
    Value output = model.getBody().front().getTerminator()->getOperand(0);
    if (failed(forward.evaluate(output, scored_.length, known)))
      return Status::error("the model could not be run");
    MatrixF logits = std::move(known.find(output)->second);
    for (Eigen::Index row = 0; row < logits.rows(); ++row) {
      const float most = logits.row(row).maxCoeff();
      const float sum = (logits.row(row).array() - most).exp().sum();
      logits.row(row).array() -= most + std::log(sum);
    }
    logProbabilities.push_back(std::move(logits));
  }
  return Status::success();
}

Status Protocol::score(ModuleOp module, double &kl) {
  std::vector<MatrixF> pruned;
  if (Status status = logits(*module.getOps<ModelOp>().begin(), pruned); status.failed())
    return status;
  double sum = 0;
  int64_t positions = 0;
  for (size_t chunk = 0; chunk < pruned.size(); ++chunk)
    for (Eigen::Index row = 0; row < pruned[chunk].rows(); ++row) {
      if (row % scored_.length == scored_.length - 1)
        continue;
      const auto p = dense_[chunk].row(row).array();
      const auto q = pruned[chunk].row(row).array();
      sum += static_cast<double>((p.exp() * (p - q)).sum());
      ++positions;
    }
  kl = sum / static_cast<double>(positions);
  return Status::success();
}

OwningOpRef<ModuleOp> Protocol::run(std::string pipeline, std::string &diagnostics) {
  for (size_t at; (at = pipeline.find("TEXT")) != std::string::npos;)
    pipeline.replace(at, 4, textOption_);
  for (size_t at; (at = pipeline.find("FOLDER")) != std::string::npos;)
    pipeline.replace(at, 6, folder_);
  OwningOpRef<ModuleOp> module = file_.module->clone();
  ScopedDiagnosticHandler handler(file_.context.get(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      diagnostics += diagnostic.str() + "\n";
    return success();
  });
  PassManager manager = PassManager::on<ModuleOp>(file_.context.get());
  std::string error;
  if (failed(parseNestedPipeline(pipeline, manager, error))) {
    diagnostics += error;
    return {};
  }
  if (failed(manager.run(*module)))
    return {};
  return module;
}

std::optional<double> Protocol::measure(const std::string &pipeline) {
  std::string diagnostics;
  OwningOpRef<ModuleOp> module = run(pipeline, diagnostics);
  double kl = 0;
  if (module)
    if (Status status = score(*module, kl); status.failed())
      diagnostics += status.message();
  if (!diagnostics.empty()) {
    std::cerr << pipeline << ": " << diagnostics << "\n";
    return std::nullopt;
  }
  return kl;
}

} // namespace xfmr::prune
