// Stages in order; each prints as text with --stop-after.
#include "tools/xfmr-compile/Compile.h"

#include "dialect/Xfmr.h"
#include "import/Import.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/lowering/Emit.h"
#include "passes/lowering/Passes.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/Format.h"
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

Status failedStage(const char *stage) { return Status::error(std::string(stage) + " failed"); }

class Compiler {
public:
  explicit Compiler(const CompileOptions &options) : options(options) {
    context.getOrLoadDialect<XfmrDialect>();
    context.printOpOnDiagnostic(false);
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) { return report(diagnostic); });
  }

  Status run() {
    registerXfmrPasses();
    registerXfmrLoweringPasses();
    registerTransformsPasses();
    struct { Stage stage; Status (Compiler::*step)(); } stages[] = {
        {Stage::Import, &Compiler::import},     {Stage::Optimize, &Compiler::optimize},
        {Stage::Phases, &Compiler::phases},     {Stage::Regions, &Compiler::regions},
        {Stage::Dispatch, &Compiler::dispatch},
        {Stage::Plan, &Compiler::plan},         {Stage::Codegen, &Compiler::codegen},
        {Stage::Emit, &Compiler::emit}};
    for (auto &[stage, step] : stages) {
      Status status = (this->*step)();
      if (status.failed()) // the diagnostic says more than the name of the stage
        return diagnosed ? Status::error("") : status;
      if (stage == options.stopAfter && stage != Stage::Emit)
        return print();
    }
    return Status::success();
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

  Status optimize() {
    PassManager manager = PassManager::on<ModuleOp>(&context);
    std::string error;
    if (failed(options.fuse ? buildOptimizePipeline(manager, options.passes, error)
                            : buildPlainPipeline(manager, options.passes, error)))
      return Status::error("--passes: " + StringRef(error).trim().str());
    return succeeded(manager.run(*module)) ? Status::success() : failedStage("optimize");
  }

  Status phases() {
    XfmrSplitPhasesOptions split;
    split.maxContext = options.maxContext;
    split.chunk = options.chunk;
    split.kv = options.kv;
    split.moe = options.moe;
    split.bindingBytes = options.bindingBytes;
    return runPass(createXfmrSplitPhases(split), "phases");
  }
  Status regions() { return runPass(createXfmrFormRegions(), "regions"); }
  Status dispatch() {
    Status status = runPass(createXfmrSelectKernels(), "dispatch");
    return status.ok() ? runPass(createCSEPass(), "dispatch") : status;
  }
  Status plan() { return runPass(createXfmrPlanBuffers(), "plan"); }

  Status runPass(std::unique_ptr<Pass> pass, const char *stage) {
    PassManager manager = PassManager::on<ModuleOp>(&context);
    manager.addPass(std::move(pass));
    return succeeded(manager.run(*module)) ? Status::success() : failedStage(stage);
  }

  ProgramOp program() { return *module->getOps<ProgramOp>().begin(); }

  Status codegen() {
    auto generated = generateKernels(program());
    if (failed(generated))
      return failedStage("codegen");
    kernels = std::move(*generated);
    return Status::success();
  }

  Status emit() {
    ProgramOp op = program();
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
    return succeeded(emitArtifact(op, kernels, sources, emitOptions)) ? Status::success() : failedStage("emit");
  }

  Status print() {
    std::string text;
    llvm::raw_string_ostream stream(text);
    if (options.stopAfter == Stage::Codegen)
      for (const codegen::CompiledKernel &kernel : kernels) {
        stream << kernel.name << ": workgroup " << kernel.workgroupSize[0] << "x" << kernel.workgroupSize[1]
               << "x" << kernel.workgroupSize[2] << ", " << kernel.sharedBytes << " bytes shared, "
               << kernel.bindings.size() << " bindings";
        for (const codegen::Variant &variant : kernel.variants)
          stream << ", " << variant.entry << " " << variant.words.size() * 4 << " bytes";
        stream << "\n";
      }
    else
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
  OwningOpRef<ModuleOp> module;
  std::string checkpoint; // folder that holds the tokenizer: of the base source, whatever passes add
  std::vector<codegen::CompiledKernel> kernels;
  bool diagnosed = false;
};

} // namespace

Status xfmr::compileModel(const CompileOptions &options) { return Compiler(options).run(); }
