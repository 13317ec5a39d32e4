// Import, the pipeline of passes/Pipelines.h, then the artifact or the text of a stage.
#include "tools/xfmr-compile/Compile.h"

#include "dialect/Xfmr.h"
#include "import/Import.h"
#include "passes/Passes.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/Pipelines.h"
#include "passes/lowering/Emit.h"
#include "passes/lowering/Passes.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/Format.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace mlir;
using namespace xfmr;
namespace fs = std::filesystem;

namespace {

class Compiler {
public:
  explicit Compiler(const CompileOptions &options) : options(options) {
    DialectRegistry registry; // what the text of a stage may hold
    registry.insert<XfmrDialect, memref::MemRefDialect>();
    codegen::registerKernelDialects(registry);
    codegen::cpu::registerKernelDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) { return report(diagnostic); });
  }

  Status run() {
    registerXfmrPasses();
    registerXfmrLoweringPasses();
    registerTransformsPasses();
    Status status = import();
    const bool both = options.target == "auto" || options.target == "vulkan,cpu";
    if (status.ok() && both)
      status = lowerBoth();
    else if (status.ok() && options.stopAfter != Stage::Import)
      status = lower(*module, options.target, options.stopAfter);
    if (status.ok())
      status = options.stopAfter == Stage::Emit ? emit() : print();
    return status.failed() && diagnosed ? Status::error("") : status; // the diagnostic says more
  }

private:
  LogicalResult report(Diagnostic &diagnostic) {
    const char *kind = "error";
    switch (diagnostic.getSeverity()) {
    case DiagnosticSeverity::Error: diagnosed = true; break;
    case DiagnosticSeverity::Warning: kind = "warning"; break;
    case DiagnosticSeverity::Note: kind = "note"; break;
    case DiagnosticSeverity::Remark:
      if (!options.verbose)
        return success();
      kind = "remark";
    }
    std::string text = diagnostic.str();
    std::string where;
    if (auto file = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
      where = (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" + Twine(file.getColumn()) + ": ").str();
    llvm::errs() << "xfmr-compile: " << kind << ": " << where << text << "\n";
    for (Diagnostic &note : diagnostic.getNotes())
      (void)report(note);
    return success();
  }

  Status import() {
    ImportOptions importOptions;
    importOptions.adapter = options.adapter;
    importOptions.ropeLength = options.ropeLength;
    Status status = Status::success();
    module = importModel(context, options.model, importOptions, status);
    if (status.ok())
      checkpoint = checkpointFolder(*module, options.model);
    return status;
  }

  // One program a target, that of the CPU first: its panels are what the artifact stores.
  Status lowerBoth() {
    if (options.stopAfter > Stage::Optimize && options.stopAfter != Stage::Emit)
      return Status::error("--stop-after=" + stageName(options.stopAfter).str() +
                           " prints the program of one target: say --target=vulkan or --target=cpu");
    if (options.stopAfter == Stage::Import)
      return Status::success();
    Status status = lower(*module, "cpu", Stage::Optimize);
    if (status.failed() || options.stopAfter == Stage::Optimize)
      return status;
    if (stageOf(*module) != Stage::Import)
      return Status::error("\"" + options.model + "\" holds the program of one target already");
    second = module->clone();
    status = lower(*module, "cpu", Stage::Emit);
    return status.ok() ? lower(*second, "vulkan", Stage::Emit) : status;
  }

  // Everything between the model and the artifact.
  Status lower(ModuleOp module, const std::string &target, Stage until) {
    CompilerOptions stages;
    stages.until = stageName(until).str();
    stages.target = target;
    stages.passes = options.passes;
    stages.fuse = options.fuse;
    stages.maxContext = options.maxContext;
    stages.chunk = options.chunk;
    stages.kv = options.kv;
    stages.moe = options.moe;
    stages.bindingBytes = options.bindingBytes;
    PassManager manager = PassManager::on<ModuleOp>(&context);
    std::string error;
    if (failed(buildPipeline(manager, stages, error)))
      return Status::error("--" + error);
    return succeeded(manager.run(module)) ? Status::success() : Status::error("compiling failed");
  }

  static ProgramOp program(ModuleOp module) { return *module.getOps<ProgramOp>().begin(); }

  Status emit() {
    SmallVector<ProgramOp> programs = {program(*module)};
    if (second)
      programs.push_back(program(*second));
    ProgramOp op = programs.front();
    WeightSources sources;
    for (NamedAttribute entry : op.getSources()) {
      std::string name = entry.getName().str();
      auto given = options.sources.find(name);
      bool overridden = given != options.sources.end();
      std::string path = overridden ? given->second : cast<StringAttr>(entry.getValue()).str();
      Status status = sources.add(name, path, overridden ? "" : sourceFolder(options.model));
      if (status.failed())
        return status;
    }
    EmitOptions emitOptions;
    emitOptions.path = options.output;
    auto base = options.sources.find("base");
    std::string folder = base != options.sources.end() ? base->second : checkpoint;
    for (const char *name : {artifact::kTokenizerTensor, artifact::kTokenizerConfigTensor,
                             artifact::kGenerationConfigTensor}) {
      std::ifstream file(fs::path(folder) / name, std::ios::binary);
      std::ostringstream text;
      if (file && (text << file.rdbuf()) && !text.str().empty())
        emitOptions.files[name] = text.str();
    }
    if (isatty(STDERR_FILENO))
      emitOptions.progress = [](uint64_t done, uint64_t total) {
        llvm::errs() << "\rwriting " << done * 100 / std::max<uint64_t>(total, 1) << " %"
                     << (done == total ? "\r             \r" : "");
      };
    return succeeded(emitArtifact(programs, sources, emitOptions)) ? Status::success() : Status::error("emit failed");
  }

  Status print() {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << *module << "\n";
    if (options.output.empty() || options.output == "-") {
      llvm::outs() << text;
      return Status::success();
    }
    AtomicFile file;
    Status status = file.open(options.output);
    if (status.ok())
      status = file.write(text.data(), text.size());
    return status.ok() ? file.commit() : status;
  }

  const CompileOptions &options;
  MLIRContext context;
  OwningOpRef<ModuleOp> module, second; // second: the program of the other target, if there are two
  std::string checkpoint; // folder that holds the tokenizer: of the base source, whatever passes add
  bool diagnosed = false;
};

} // namespace

Status xfmr::compileModel(const CompileOptions &options) { return Compiler(options).run(); }
