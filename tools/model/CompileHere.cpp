// See CompileHere.h.
#include "tools/model/CompileHere.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/codegen/cpu/Level.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/lowering/Emit.h"
#include "passes/lowering/Passes.h"
#include "runtime/cpu/Level.h"
#include "weights/Diagnostics.h"

using namespace mlir;

namespace xfmr {
namespace {

ProgramOp programOf(ModuleOp module) {
  return *module.getOps<ProgramOp>().begin();
}

Status run(ModuleOp module, CompilerOptions &options, Stage until) {
  options.until = stageName(until).str();
  PassManager manager = PassManager::on<ModuleOp>(module.getContext());
  std::string error;
  if (failed(buildPipeline(manager, options, error)))
    return Status::error(error);
  return succeeded(manager.run(module)) ? Status::success() : Status::error("compiling failed");
}

// To the highest level that this machine takes and that rounds no activations.
Status narrowTarget(ProgramOp program) {
  int level = 0;
  if (Status status = cpu::usableLevel(level); status.failed())
    return status;
  TargetAttr all = program.targetOrPortable();
  for (CpuLevel own : llvm::reverse(all.getLevels()))
    if (cpu::parseLevel(stringifyCpuLevel(own).str()) <= level &&
        !codegen::cpu::facts(static_cast<codegen::cpu::Level>(own)).bfloatDots) {
      program.setTargetAttr(TargetAttr::get(program.getContext(), TargetKind::cpu, all.getBindingBytes(),
                                            all.getPushWords(), all.getGrid(), all.getAlignment(), own));
      break;
    }
  return Status::success();
}

} // namespace

void registerCompilerDialects(MLIRContext &context) {
  DialectRegistry registry;
  registry.insert<XfmrDialect, memref::MemRefDialect>();
  codegen::registerKernelDialects(registry);
  codegen::cpu::registerKernelDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

Status compileHere(ModuleOp module, const WeightSources &sources, const HereOptions &here,
                   const UnnamedFile &artifact) {
  static const bool registered = [] {
    registerXfmrPasses();
    registerXfmrLoweringPasses();
    registerTransformsPasses();
    return true;
  }();
  (void)registered;
  CollectedErrors errors(module.getContext());
  CompilerOptions options;
  options.target = here.target;
  options.passes = here.passes;
  options.fuse = here.fuse;
  options.maxContext = here.maxContext;
  options.kv = "f32";
  options.rowCodes = false; // nor are activations rounded where weights are codes
  Status status = run(module, options, Stage::Phases);
  if (status.ok() && here.target == "cpu")
    status = narrowTarget(programOf(module));
  if (status.ok())
    status = run(module, options, Stage::Emit);
  if (status.ok()) {
    EmitOptions emit;
    emit.descriptor = artifact.descriptor();
    const ProgramOp programs[] = {programOf(module)};
    if (failed(emitArtifact(programs, sources, emit)))
      status = Status::error("emit failed");
  }
  return status.ok() ? status : errors.status(status.message());
}

} // namespace xfmr
