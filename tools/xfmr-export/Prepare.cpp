// See Prepare.h.
#include "tools/xfmr-export/Prepare.h"
#include "import/Import.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "weights/ModelSources.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <filesystem>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr::exports {

Status prepare(const std::string &path, const std::string &passes, const std::string &adapter,
               const std::vector<std::string> &sourceOptions, Prepared &out) {
  out.context.printOpOnDiagnostic(false); // it may be a whole model
  out.context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Remark)
      return success();
    const bool warning = diagnostic.getSeverity() == DiagnosticSeverity::Warning;
    llvm::errs() << "xfmr-export: " << (warning ? "warning: " : "error: ") << diagnostic << "\n";
    for (Diagnostic &note : diagnostic.getNotes())
      llvm::errs() << "xfmr-export: note: " << note << "\n";
    return success();
  });
  ImportOptions importOptions;
  importOptions.adapter = adapter;
  Status status = Status::success();
  out.module = importModel(out.context, path, importOptions, status);
  if (status.failed())
    return status;
  auto models = llvm::to_vector(out.module->getOps<ModelOp>());
  if (models.size() != 1)
    return Status::error("\"" + path + "\" holds " + std::to_string(models.size()) + " models (xfmr.model), expected one");

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
  if (failed(manager.run(*out.module)))
    return Status::error("");
  models = llvm::to_vector(out.module->getOps<ModelOp>());
  if (models.size() != 1)
    return Status::error("--passes: the pipeline leaves " + std::to_string(models.size()) + " models, expected one");

  if (status = openModelSources(models.front(), sourceFolder(path), sourceOptions, out.sources); status.failed())
    return status;
  const WeightSource *base = out.sources.source("base");
  if (!base || !base->hasWeights())
    return Status::error("\"" + path + "\" has no weights to export; give a checkpoint with --source base=PATH");
  const fs::path place(base->path());
  std::error_code ignored;
  out.baseFolder = fs::is_directory(place, ignored) ? place.string() : place.parent_path().string();
  out.model = models.front();
  return Status::success();
}

} // namespace xfmr::exports
