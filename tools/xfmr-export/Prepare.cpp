// See Prepare.h.
#include "tools/xfmr-export/Prepare.h"
#include "import/Import.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "tools/model/Diagnostics.h"
#include "tools/model/ModelFile.h"
#include "weights/Diagnostics.h"
#include "weights/ModelSources.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <cerrno>
#include <cstring>
#include <filesystem>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr::exports {

Status prepare(const std::string &path, const std::string &passes, const std::string &adapter,
               const std::vector<std::string> &sourceOptions, const std::string &output, Prepared &out) {
  printDiagnostics(out.context, "xfmr-export");
  ImportOptions importOptions;
  importOptions.adapter = adapter;
  Status status = Status::success();
  out.module = importModel(out.context, path, importOptions, status);
  if (status.failed())
    return status;
  if (status = onlyModel(*out.module, "\"" + path + "\" holds", out.model); status.failed())
    return status;
  if (status = replaceSources(*out.module, sourceOptions); status.failed())
    return status;

  if (!passes.empty()) {
    const fs::path written = fs::path(output).lexically_normal();
    out.passOutput.emplace(out.context, (written.has_filename() ? written : written.parent_path()).string()); // "folder/"
    if (!out.passOutput->exists())
      return Status::error("cannot create \"" + output + "\": " + std::strerror(errno));
  }
  // Formats have no adapters beside their layers; the rest of the optimize stage would only be undone.
  registerXfmrPasses();
  registerTransformsPasses();
  PassManager manager = PassManager::on<ModuleOp>(&out.context);
  std::string error;
  manager.addPass(createCanonicalizerPass());
  manager.nest<ModelOp>().addPass(createXfmrFoldLora());
  if (failed(parseNestedPipeline(passes, manager, error)))
    return Status::error("--passes: " + StringRef(error).trim().str());
  manager.addPass(createCanonicalizerPass());
  CollectedErrors errors(&out.context);
  if (failed(manager.run(*out.module)))
    return errors.status("--passes: a pass failed");
  if (status = onlyModel(*out.module, "--passes: the pipeline leaves", out.model); status.failed())
    return status;

  if (status = openSources(out.model, out.sources); status.failed())
    return status;
  const WeightSource *base = out.sources.source("base");
  if (!base || !base->hasWeights())
    return Status::error("\"" + path + "\" has no weights to export; give a checkpoint with --source base=PATH");
  const fs::path place(base->path());
  std::error_code ignored;
  out.baseFolder = fs::is_directory(place, ignored) ? place.string() : place.parent_path().string();
  return Status::success();
}

} // namespace xfmr::exports
