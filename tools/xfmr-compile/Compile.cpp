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
#include "tools/model/Diagnostics.h"
#include "weights/Diagnostics.h"
#include "weights/ModelSources.h"
#include "weights/TokenizerFiles.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <filesystem>
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
    printDiagnostics(context, "xfmr-compile", options.verbose);
  }

  Status run() {
    registerXfmrPasses();
    registerXfmrLoweringPasses();
    registerTransformsPasses();
    struct { Stage stage; Status (Compiler::*step)(); } stages[] = {
        {Stage::Import, &Compiler::import},     {Stage::Optimize, &Compiler::optimize},
        {Stage::Phases, &Compiler::phases},     {Stage::Dispatch, &Compiler::dispatch},
        {Stage::Plan, &Compiler::plan},         {Stage::Codegen, &Compiler::codegen},
        {Stage::Emit, &Compiler::emit}};
    CollectedErrors errors(&context);
    for (auto &[stage, step] : stages) {
      Status status = (this->*step)();
      if (status.failed()) // the diagnostic says more than the name of the stage
        return errors.status(status.message());
      if (stage == options.stopAfter && stage != Stage::Emit)
        return print();
    }
    return Status::success();
  }

private:
  Status import() {
    ImportOptions importOptions;
    importOptions.adapter = options.adapter;
    importOptions.ropeLength = options.ropeLength;
    Status status = Status::success();
    module = importModel(context, options.model, importOptions, status);
    if (status.ok())
      status = replaceSources(*module, options.sources);
    if (status.failed())
      return status;
    // That of the base source, whatever passes add. A later stage has its sources in the program.
    DictionaryAttr sources;
    for (ModelOp model : module->getOps<ModelOp>())
      sources = model.getSources();
    for (ProgramOp program : module->getOps<ProgramOp>())
      sources = program.getSources();
    if (sources)
      status = readTokenizerFiles(basePath(sources, &context), tokenizer);
    if (!tokenizer.warning.empty())
      emitWarning(UnknownLoc::get(&context)) << tokenizer.warning;
    attachSourcePlaces(&context).output = fs::path(options.output).parent_path().string();
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
    return runPass(createXfmrSplitPhases(split), "phases");
  }
  Status dispatch() {
    XfmrFormDispatchesOptions form;
    form.moe = options.moe;
    form.bindingBytes = options.bindingBytes;
    Status status = runPass(createXfmrFormDispatches(form), "dispatch");
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
    if (Status status = openSources(op.getSources(), &context, sources); status.failed())
      return status;
    EmitOptions emitOptions;
    emitOptions.path = options.output;
    for (auto &[name, text] : {std::pair(artifact::kTokenizerTensor, tokenizer.tokenizer),
                               std::pair(artifact::kTokenizerConfigTensor, tokenizer.config),
                               std::pair(artifact::kGenerationConfigTensor, tokenizer.generation)})
      if (!text.empty())
        emitOptions.files[name] = text;
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
  TokenizerFiles tokenizer;
  std::vector<codegen::CompiledKernel> kernels;
};

} // namespace

Status xfmr::compileModel(const CompileOptions &options) { return Compiler(options).run(); }
