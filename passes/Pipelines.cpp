// The optimize stage, and the textual pipelines of --passes.
#include "passes/Pipelines.h"

#include "passes/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace xfmr {

LogicalResult parseNestedPipeline(StringRef text, OpPassManager &manager, std::string &error) {
  llvm::raw_string_ostream stream(error);
  text = text.trim();
  if (text.empty())
    return success();
  if (text.consume_front("builtin.module(") && !text.consume_back(")")) { // as for --pass-pipeline
    stream << "'builtin.module(' is not closed at the end of the pipeline";
    return failure();
  }
  return parsePassPipeline(text, manager, stream);
}

LogicalResult buildOptimizePipeline(OpPassManager &manager, StringRef passes, std::string &error) {
  manager.addPass(createCanonicalizerPass());
  manager.nest<ModelOp>().addPass(createXfmrFoldLora());
  if (failed(parseNestedPipeline(passes, manager, error)))
    return failure();
  manager.nest<ModelOp>().nest<BlockOp>().addPass(createXfmrFuseQkv());
  manager.nest<ModelOp>().nest<BlockOp>().addPass(createXfmrFuseGlu());
  manager.addPass(createCanonicalizerPass());
  return success();
}

LogicalResult buildPlainPipeline(OpPassManager &manager, StringRef passes, std::string &error) {
  if (failed(parseNestedPipeline(passes, manager, error)))
    return failure();
  XfmrFoldLoraOptions experts;
  experts.expertsOnly = true;
  manager.nest<ModelOp>().addPass(createXfmrFoldLora(experts));
  manager.addPass(createCanonicalizerPass()); // moves what is folded out of expert regions
  return success();
}

} // namespace xfmr
