// A MODEL compiled in this process for this CPU, at its best level and with an f32 cache, and run by the runtime. Adapters
// outside of experts stay apart, since folding them into 16-bit weights would round.
#include "dialect/Xfmr.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/codegen/cpu/Level.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/lowering/Emit.h"
#include "passes/lowering/Passes.h"
#include "runtime/cpu/Level.h"
#include "tools/xfmr-compare/ModelSide.h"
#include "tools/xfmr-compare/RuntimeSession.h"
#include "tools/xfmr-compare/UnnamedFile.h"
#include "weights/Diagnostics.h"
#include "weights/ModelSources.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace xfmr::compare {

namespace {

class Compiled : public ModelSide {
public:
  Compiled() {
    DialectRegistry registry;
    registry.insert<XfmrDialect, memref::MemRefDialect>();
    codegen::registerKernelDialects(registry);
    codegen::cpu::registerKernelDialects(registry);
    file_.context = std::make_unique<MLIRContext>(registry);
    file_.context->loadAllAvailableDialects();
  }

  Status prepare(int64_t window) override {
    UnnamedFile artifact;
    Status status = artifact.create();
    if (status.ok())
      status = compile(window, artifact);
    if (status.ok())
      status = session_.open(artifact.path(), "cpu");
    if (status.ok())
      parameters = run::infoOf(session_.model()).parameters;
    return status;
  }

  Status logits(const std::vector<int32_t> &window, Logits &out) override { return session_.logits(window, out); }

private:
  Status compile(int64_t window, const UnnamedFile &artifact) {
    static const bool registered = [] {
      registerXfmrPasses();
      registerXfmrLoweringPasses();
      registerTransformsPasses();
      return true;
    }();
    (void)registered;
    CollectedErrors errors(file_.context.get());
    CompilerOptions options;
    options.target = "cpu";
    options.passes = "canonicalize,xfmr-fuse-qkv,xfmr-fuse-glu";
    options.fuse = false;
    options.maxContext = window;
    options.kv = "f32";
    options.rowCodes = false;
    Status status = run(options, Stage::Phases);
    if (status.ok())
      status = narrowTarget();
    if (status.ok())
      status = run(options, Stage::Emit);
    if (status.ok())
      status = emit(artifact);
    file_.module = nullptr; // the artifact is all that is needed from here on
    file_.sources = WeightSources();
    return status.ok() ? status : errors.status(status.message());
  }

  Status run(CompilerOptions &options, Stage until) {
    options.until = stageName(until).str();
    PassManager manager = PassManager::on<ModuleOp>(file_.context.get());
    std::string error;
    if (failed(buildPipeline(manager, options, error)))
      return Status::error(error);
    return succeeded(manager.run(*file_.module)) ? Status::success() : Status::error("compiling failed");
  }

  ProgramOp program() { return *file_.module->getOps<ProgramOp>().begin(); }

  // To the highest level that this machine takes and that rounds no activations.
  Status narrowTarget() {
    int level = 0;
    if (Status status = cpu::usableLevel(level); status.failed())
      return status;
    TargetAttr all = program().targetOrPortable();
    for (CpuLevel own : llvm::reverse(all.getLevels()))
      if (cpu::parseLevel(stringifyCpuLevel(own).str()) <= level &&
          !codegen::cpu::facts(static_cast<codegen::cpu::Level>(own)).bfloatDots) {
        program().setTargetAttr(TargetAttr::get(file_.context.get(), TargetKind::cpu, all.getBindingBytes(),
                                                all.getPushWords(), all.getGrid(), all.getAlignment(), own));
        break;
      }
    return Status::success();
  }

  Status emit(const UnnamedFile &artifact) {
    EmitOptions options;
    options.descriptor = artifact.descriptor();
    const ProgramOp programs[] = {program()};
    return succeeded(emitArtifact(programs, file_.sources, options)) ? Status::success() : Status::error("emit failed");
  }

  RuntimeSession session_;
};

} // namespace

Status openCompiled(const std::string &path, const std::string &passes, SourceOptions &sources, std::unique_ptr<Side> &out) {
  auto side = std::make_unique<Compiled>();
  Status status = side->open(path, passes, sources);
  if (status.ok())
    out = std::move(side);
  return status;
}

} // namespace xfmr::compare
