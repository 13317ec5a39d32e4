// See ByImporter.h.
#include "export/ByImporter.h"
#include "export/NewConfig.h"
#include "export/Origins.h"
#include "export/SameForm.h"
#include "export/Uniform.h"
#include "import/Import.h"
#include "passes/Passes.h"
#include "passes/transforms/PruneColumns.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace xfmr::exports {

template <typename Op>
static int64_t count(ModelOp model) {
  int64_t number = 0;
  model.getBody().walk([&](Op) { ++number; });
  return number;
}

/// Families without a key for it divide the hidden size by the number of heads.
static int64_t leastHeads(const nlohmann::ordered_json &config, ModelOp model) {
  if (!config.contains("n_head") && model.getConfig().getArchitecture() != "gpt_neox")
    return 0;
  int64_t heads = 0;
  model.getBody().walk([&](AttentionOp attention) { heads = model.getConfig().getHiddenSize() / attention.getHeadDim(); });
  return heads;
}

/// Gives both models one form: projections apart, as they are in a uniform model, gate and up fused if either has them so.
static Status alignForms(ModuleOp importedModule, ModelOp model) {
  ModelOp imported = *importedModule.getOps<ModelOp>().begin();
  IRRewriter rewriter(model.getContext());
  for (BlockOp block : imported.getBody().getOps<BlockOp>())
    separateSplits(rewriter, block);
  const bool fuse = count<GluOp>(model) != count<GluOp>(imported);
  for (ModuleOp module : {importedModule, model->getParentOfType<ModuleOp>()}) {
    PassManager manager = PassManager::on<ModuleOp>(module.getContext());
    if (fuse)
      manager.nest<ModelOp>().nest<BlockOp>().addPass(createXfmrFuseGlu());
    manager.addPass(createCanonicalizerPass());
    if (failed(manager.run(module)))
      return Status::error("cannot bring the model into the form of its family");
  }
  return Status::success();
}

Status fillByImporter(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                      const nlohmann::ordered_json &config, OutputFolder &output, std::vector<std::string> &notes) {
  if (model.getBody().getOps<BlockOp>().empty())
    return Status::error("a model without blocks cannot be exported");
  Status status = makeUniform(model, leastHeads(config, model), notes);
  if (status.ok())
    status = output.open(options.output);
  const std::string path = output.file("config.json");
  nlohmann::ordered_json changed = newConfig(config, model);
  if (status.ok())
    status = writeConfigFile(changed, path);
  if (status.failed())
    return status;
  OwningOpRef<ModuleOp> module = importModel(*model.getContext(), path, {}, status);
  if (status.failed())
    return Status::error("the family \"" + model.getConfig().getArchitecture().str() +
                         "\" has no configuration for the new shapes: " + status.message());
  if (status = alignForms(*module, model); status.failed())
    return status;
  ModelOp imported = *module->getOps<ModelOp>().begin();
  Origins origins(sources);
  std::vector<NamedPiece> tensors;
  status = walkSameForm(imported, model, [&](Value wanted, Value found) { return origins.assign(wanted, found); });
  if (status.ok())
    status = origins.finish(imported, tensors);
  // Last: with another type some families round their constants, which they do whoever converts.
  setElementType(changed, options.type);
  if (status.ok())
    status = writeConfigFile(changed, path);
  return status.ok() ? writeTensorFile(tensors, options.type, sources, output.file("model.safetensors")) : status;
}

} // namespace xfmr::exports
