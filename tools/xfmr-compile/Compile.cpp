// Import, the pipeline of passes/Pipelines.h, then the artifact or the text of a stage.
#include "tools/xfmr-compile/Compile.h"

#include "dialect/Xfmr.h"
#include "import/Encoder.h"
#include "passes/Passes.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/Pipelines.h"
#include "passes/lowering/CpuTarget.h"
#include "passes/lowering/Emit.h"
#include "passes/lowering/KernelTable.h"
#include "passes/lowering/Passes.h"
#include "passes/lowering/TensorTable.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/DenseLayers.h"
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Segments.h"
#include "runtime/cpu/Level.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "tools/MlirOptions.h"
#include "tools/model/Diagnostics.h"
#include "tools/model/PassOutput.h"
#include "weights/Diagnostics.h"
#include "weights/ModelSources.h"
#include "weights/SentenceFiles.h"
#include "weights/TokenizerFiles.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <cerrno>
#include <cstring>
#include <filesystem>
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
    printDiagnostics(context, "xfmr-compile", options.remarks || options.verbose);
  }

  Status run() {
    registerXfmrPasses();
    registerXfmrLoweringPasses();
    registerTransformsPasses();
    CollectedErrors errors(&context);
    if (!TargetAttr::cpu(&context, options.triple))
      return Status::error("--triple: found '" + options.triple + "', expected x86_64-linux-gnu or aarch64-linux-gnu");
    Status status = chooseLevels();
    if (status.ok())
      status = import();
    const std::string target = status.ok() ? resolveTarget() : options.target;
    // native means those of this machine, of which vulkan has none
    if (status.ok() && target == "vulkan" && !options.levels.empty() && options.levels != "native")
      status = Status::error("--levels=" + options.levels + ": found the target vulkan alone, which has no levels; expected it with "
                             "--target=cpu or --target=vulkan,cpu");
    if (status.ok() && target == kBoth)
      status = lowerBoth();
    else if (status.ok() && options.stopAfter != Stage::Import)
      status = lower(*module, target, options.stopAfter);
    if (status.ok())
      status = options.stopAfter == Stage::Emit ? emit() : print();
    return status.ok() ? status : errors.status(status.message()); // the diagnostic says more
  }

private:
  static constexpr const char *kBoth = "vulkan,cpu";

  // Auto: both, but a program has its target already, and the text of a stage shows one, that for Vulkan.
  std::string resolveTarget() {
    if (options.target != "auto")
      return options.target;
    for (ProgramOp program : module->getOps<ProgramOp>())
      return program.targetOrPortable().isVulkan() ? "vulkan" : "cpu";
    const bool showsOne = options.stopAfter > Stage::Optimize && options.stopAfter != Stage::Emit;
    return showsOne ? "vulkan" : kBoth;
  }

  // The name of this machine's level in place of "native".
  Status chooseLevels() {
    levels = options.levels;
    if (levels == "native") {
      int level = 0;
      if (Status status = cpu::usableLevel(level); status.failed())
        return status;
      const char *name = cpu::levelName(level);
      if (!name)
        return Status::error("--levels=native: this CPU has only " + cpu::describeLevel(level)); // untested: no such machine
      levels = name;
    }
    std::string error;
    return cpuTarget(&context, options.triple, levels, error) ? Status::success() : Status::error("--" + error);
  }

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
    if (options.pairs)
      status = readPairs(*module);
    if (status.failed())
      return status;
    // That of the base source, whatever passes add. A later stage has its sources in the program.
    DictionaryAttr sources;
    for (ModelOp model : module->getOps<ModelOp>()) {
      sources = model.getSources();
      segments = segmentsOf(model);
    }
    for (ProgramOp program : module->getOps<ProgramOp>())
      sources = program.getSources();
    if (sources)
      status = readTokenizerFiles(basePath(sources, &context), tokenizer);
    if (!tokenizer.warning.empty())
      emitWarning(UnknownLoc::get(&context)) << tokenizer.warning;
    // The text of a stage names the weights that passes make, an artifact takes them in.
    attachSourcePlaces(&context).output = fs::path(options.output).parent_path().string();
    if (status.ok() && options.stopAfter == Stage::Emit && !options.passes.empty()) {
      passOutput.emplace(context, options.output);
      if (!passOutput->exists())
        return Status::error("cannot create \"" + options.output + "\": " + std::strerror(errno));
    }
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
    status = lower(*module, "cpu", Stage::Emit, Stage::Phases);
    return status.ok() ? lower(*second, "vulkan", Stage::Emit, Stage::Phases) : status;
  }

  // Everything between the model and the artifact.
  Status lower(ModuleOp module, const std::string &target, Stage until, Stage from = Stage::Optimize) {
    CompilerOptions stages;
    stages.until = stageName(until).str();
    stages.target = target;
    stages.triple = options.triple;
    stages.levels = levels;
    stages.passes = options.passes;
    stages.type = options.type;
    stages.fuse = options.fuse;
    stages.maxContext = options.maxContext;
    stages.chunk = options.chunk;
    stages.kv = options.kv;
    stages.moe = options.moe;
    stages.bindingBytes = options.bindingBytes;
    stages.deviceProfile = options.deviceProfile;
    PassManager manager = PassManager::on<ModuleOp>(&context);
    std::string error;
    if (failed(buildPipeline(manager, stages, error, from)))
      return Status::error("--" + error);
    applyMlirOptions(manager);
    if (failed(manager.run(module)))
      return Status::error("compiling failed");
    if (options.verbose && stageOf(module) >= Stage::Dispatch)
      for (ProgramOp program : module.getOps<ProgramOp>())
        printKernelTable(program, llvm::errs());
    return Status::success();
  }

  static ProgramOp program(ModuleOp module) { return *module.getOps<ProgramOp>().begin(); }

  static bool isEncoder(ProgramOp program) {
    return llvm::none_of(program.getBody().getOps<PhaseOp>(), [](PhaseOp phase) { return phase.getKind() == PhaseKind::decode; });
  }

  Status emit() {
    SmallVector<ProgramOp> programs = {program(*module)};
    if (second)
      programs.push_back(program(*second));
    ProgramOp op = programs.front();
    WeightSources sources;
    if (Status status = openSources(op.getSources(), &context, sources); status.failed())
      return status;
    SentenceModules modules;
    if (isEncoder(op))
      if (Status status = readSentenceModules(basePath(op.getSources(), &context),
                                              static_cast<uint32_t>(op.getConfig().getHiddenSize()), modules);
          status.failed())
        return status;
    EmitOptions emitOptions;
    emitOptions.path = options.output;
    if (!modules.pooling.empty())
      emitOptions.files[artifact::kPoolingTensor] = modules.pooling;
    if (isEncoder(op) && segments > 0)
      emitOptions.files[artifact::kSegmentsTensor] = std::to_string(segments);
    if (!modules.dense.empty())
      emitOptions.files[artifact::kDenseTensor] = modules.dense;
    for (auto &[name, text] : {std::pair(artifact::kTokenizerTensor, tokenizer.tokenizer),
                               std::pair(artifact::kTokenizerConfigTensor, tokenizer.config),
                               std::pair(artifact::kChatTemplateTensor, tokenizer.chatTemplate),
                               std::pair(artifact::kGenerationConfigTensor, tokenizer.generation)})
      if (!text.empty())
        emitOptions.files[name] = text;
    if (options.verbose)
      emitOptions.report = [](const std::string &text) { llvm::errs() << text; };
    if (isatty(STDERR_FILENO))
      emitOptions.progress = [](uint64_t done, uint64_t total) {
        llvm::errs() << "\rwriting " << done * 100 / std::max<uint64_t>(total, 1) << " %"
                     << (done == total ? "\r             \r" : "");
      };
    if (failed(emitArtifact(programs, sources, emitOptions)))
      return Status::error("emit failed");
    const TensorTable::Bytes bytes = TensorTable(programs).bytes();
    if (bytes.more)
      emitWarning(UnknownLoc::get(&context))
          << bytes.more << " bytes of weights are for Vulkan alone, beside " << bytes.first
          << " bytes for the CPU, which Vulkan reads too where it can; --target=vulkan or --target=cpu stores one copy";
    return Status::success();
  }

  Status print() {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << *module << "\n";
    if (options.output.empty() || options.output == "-") {
      llvm::outs() << text;
      return Status::success();
    }
    return writeAtomically(options.output, text);
  }

  const CompileOptions &options;
  MLIRContext context;
  std::string levels; // of the CPU to compile for, empty: all
  std::optional<PassOutput> passOutput; // files there are mapped until the artifact is whole
  OwningOpRef<ModuleOp> module, second; // second: the program of the other target, if there are two
  TokenizerFiles tokenizer;
  int64_t segments = 0; // that ids tell apart (segmentsOf); 0 where a later stage was read
};

} // namespace

Status xfmr::compileModel(const CompileOptions &options) { return Compiler(options).run(); }
