// See AlignedForms.h.
#include "export/AlignedForms.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/transforms/PruneColumns.h"
#include "weights/Diagnostics.h"

using namespace mlir;

namespace xfmr::exports {

static int64_t countGlus(ModelOp model) {
  int64_t number = 0;
  model.getBody().walk([&](GluOp) { ++number; });
  return number;
}

ModelOp modelOf(ModuleOp module) {
  return *module.getOps<ModelOp>().begin();
}

Status alignForms(ModuleOp importedModule, ModelOp model) {
  ModelOp imported = modelOf(importedModule);
  IRRewriter rewriter(model.getContext());
  CollectedErrors errors(model.getContext());
  for (BlockOp block : imported.getBody().getOps<BlockOp>())
    separateSplits(rewriter, block);
  const bool fuse = countGlus(model) != countGlus(imported);
  for (ModuleOp module : {importedModule, model->getParentOfType<ModuleOp>()}) {
    PassManager manager = PassManager::on<ModuleOp>(module.getContext());
    if (fuse)
      manager.nest<ModelOp>().nest<BlockOp>().addPass(createXfmrFuseGlu());
    manager.addPass(createCanonicalizerPass());
    if (failed(manager.run(module)))
      return errors.status();
  }
  return Status::success();
}

/// Whether norms have the one added; nothing where some have.
static std::optional<bool> unitOffsetOf(ModelOp model) {
  int64_t with = 0, without = 0;
  model.getBody().walk([&](RmsNormOp norm) { ++(norm.getUnitOffset() ? with : without); });
  return with && without ? std::nullopt : std::optional<bool>(with > 0);
}

llvm::DenseMap<Value, float> alignNorms(ModelOp imported, ModelOp model) {
  llvm::DenseMap<Value, float> offsets;
  const std::optional<bool> wanted = unitOffsetOf(imported), found = unitOffsetOf(model);
  if (!wanted || !found || *wanted == *found)
    return offsets;
  model.getBody().walk([&](RmsNormOp norm) {
    norm.setUnitOffset(*wanted);
    offsets[norm.getWeight()] = *wanted ? -1.0f : 1.0f;
  });
  return offsets;
}

} // namespace xfmr::exports
