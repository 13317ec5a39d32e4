// See UserPasses.h.
#include "tools/model/UserPasses.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "weights/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace xfmr {

static Status addTo(PassManager &manager, const std::string &pipeline) {
  registerXfmrPasses();
  registerTransformsPasses();
  std::string error;
  if (failed(parseNestedPipeline(pipeline, manager, error)))
    return Status::error("--passes: " + StringRef(error).trim().str());
  return Status::success();
}

Status checkUserPasses(const std::string &pipeline) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  PassManager manager = PassManager::on<ModuleOp>(&context);
  CollectedErrors said(&context); // the text of the error is enough
  return addTo(manager, pipeline);
}

Status runUserPasses(ModuleOp module, const std::string &pipeline) {
  PassManager manager = PassManager::on<ModuleOp>(module.getContext());
  if (Status status = addTo(manager, pipeline); status.failed())
    return status;
  CollectedErrors errors(module.getContext());
  return succeeded(manager.run(module)) ? Status::success() : errors.status("--passes: a pass failed");
}

} // namespace xfmr
