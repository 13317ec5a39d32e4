// What runs in each stage, and the textual pipelines of --passes.
#include "passes/Pipelines.h"

#include "passes/Passes.h"
#include "passes/lowering/ExecutablePasses.h"
#include "passes/lowering/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace xfmr {
namespace {

// Runs the passes of one stage on a module that has not come so far.
class RunStage : public PassWrapper<RunStage, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RunStage)
  RunStage(Stage stage, OpPassManager passes) : stage(stage), passes(std::move(passes)) {}

  StringRef getName() const override { return "run-stage"; }
  void getDependentDialects(DialectRegistry &registry) const override { passes.getDependentDialects(registry); }
  void runOnOperation() override {
    if (stageOf(getOperation()) < stage && failed(runPipeline(passes, getOperation())))
      signalPassFailure();
  }

private:
  Stage stage;
  OpPassManager passes;
};

// Canonicalise, fold adapters, the user's passes, round weights, then fuse projections: they meet the block as imported. Without
// fusions only what lowering cannot do without is done: adapters of experts are folded.
LogicalResult addOptimize(OpPassManager &manager, const CompilerOptions &options, std::string &error) {
  if (options.fuse) {
    manager.nest<ModelOp>().addPass(createCanonicalizerPass());
    manager.nest<ModelOp>().addPass(createXfmrFoldLora());
  }
  if (failed(parseNestedPipeline(options.passes, manager, error)))
    return failure();
  if (!options.type.empty()) {
    XfmrCastWeightsOptions cast;
    cast.type = options.type;
    manager.nest<ModelOp>().addPass(createXfmrCastWeights(cast));
  }
  if (options.fuse) {
    manager.nest<ModelOp>().nest<BlockOp>().addPass(createXfmrFuseQkv());
    manager.nest<ModelOp>().nest<BlockOp>().addPass(createXfmrFuseGlu());
  } else {
    XfmrFoldLoraOptions experts;
    experts.expertsOnly = true;
    manager.nest<ModelOp>().addPass(createXfmrFoldLora(experts));
  }
  manager.nest<ModelOp>().addPass(createCanonicalizerPass()); // moves what is folded out of expert regions
  return success();
}

void addPhases(OpPassManager &manager, const CompilerOptions &options) {
  manager.nest<ModelOp>().addPass(createXfmrExpandQuantized());
  XfmrSplitPhasesOptions split;
  split.maxContext = options.maxContext;
  split.chunk = options.chunk;
  split.kv = options.kv;
  split.moe = options.moe;
  split.target = options.target;
  split.triple = options.triple;
  split.levels = options.levels;
  split.bindingBytes = options.bindingBytes;
  split.deviceProfile = options.deviceProfile;
  manager.addPass(createXfmrSplitPhases(split));
}

void addDispatch(OpPassManager &manager, const CompilerOptions &options) {
  XfmrSelectKernelsOptions select;
  select.rowCodes = options.rowCodes;
  manager.addPass(createXfmrSelectKernels(select));
  manager.nest<ProgramOp>().nest<PhaseOp>().addPass(createCSEPass());
}

LogicalResult addPasses(Stage stage, OpPassManager &manager, const CompilerOptions &options, std::string &error) {
  switch (stage) {
  case Stage::Import: break;
  case Stage::Optimize: return addOptimize(manager, options, error);
  case Stage::Phases: addPhases(manager, options); break;
  case Stage::Regions: manager.addPass(createXfmrFormRegions()); break;
  case Stage::Dispatch: addDispatch(manager, options); break;
  case Stage::Plan: manager.addPass(createXfmrPlanBuffers()); break;
  case Stage::Codegen: {
    XfmrGenerateKernelsOptions generate;
    generate.deviceProfile = options.deviceProfile;
    manager.nest<ProgramOp>().nest<ExecutableOp>().addPass(createXfmrGenerateKernels(generate));
    manager.nest<ProgramOp>().nest<ExecutableOp>().addPass(createXfmrLowerExecutables());
    break;
  }
  case Stage::Emit: manager.nest<ProgramOp>().nest<ExecutableOp>().addPass(createXfmrSerializeExecutables()); break;
  }
  return success();
}

} // namespace

constexpr Stage kStages[] = {Stage::Optimize, Stage::Phases,  Stage::Regions, Stage::Dispatch,
                             Stage::Plan,     Stage::Codegen, Stage::Emit};

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

LogicalResult buildPipeline(OpPassManager &manager, const CompilerOptions &options, std::string &error, Stage from) {
  std::optional<Stage> until = parseStage(options.until);
  if (!until) {
    error = "until: no stage is called '" + options.until + "', expected one of";
    for (Stage stage : kStages)
      error += " " + stageName(stage).str();
    return failure();
  }
  if (options.target != "vulkan" && options.target != "cpu")
    return error = "target: expected vulkan or cpu, got '" + options.target + "'", failure();
  manager.nest<ProgramOp>().addPass(createXfmrVerifyStage()); // what comes in: stages behind it do not run again
  for (Stage stage : kStages) {
    if (stage > *until)
      break;
    if (stage < from)
      continue;
    OpPassManager passes(ModuleOp::getOperationName());
    if (failed(addPasses(stage, passes, options, error))) {
      error = "passes: " + StringRef(error).trim().str();
      return failure();
    }
    if (stage >= Stage::Phases) {
      XfmrVerifyStageOptions verify;
      verify.stage = stageName(stage).str();
      passes.nest<ProgramOp>().addPass(createXfmrVerifyStage(verify));
    }
    manager.addPass(std::make_unique<RunStage>(stage, std::move(passes)));
  }
  return success();
}

void registerXfmrPipeline() {
  registerPassPipeline(
      "xfmr-pipeline", "the compiler's stages: \"target=vulkan until=plan\"; those a module has behind it are skipped",
      [](OpPassManager &manager, StringRef text, function_ref<LogicalResult(const Twine &)> fail) -> LogicalResult {
        std::unique_ptr<CompilerOptions> options = CompilerOptions::createFromString(text);
        if (!options)
          return fail("cannot read the options '" + text + "', expected such as \"target=cpu until=plan\"");
        std::string error;
        return succeeded(buildPipeline(manager, *options, error)) ? success() : fail(error);
      },
      [](function_ref<void(const mlir::detail::PassOptions &)> visit) { visit(CompilerOptions()); });
}

} // namespace xfmr
