// One LLVMContext and one TargetMachine a call. Loops are written as vectors already, so the vectorizers stay off; and
// no library function may be called, so loops must not become memset either.
#include "passes/codegen/cpu/Object.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>

namespace xfmr::codegen::cpu {
namespace {

const llvm::Target &targetOf(const llvm::Triple &triple) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
  });
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  assert(target && "linked above");
  return *target;
}

// Errors of LLVM, so that they reach the caller and not the terminal.
struct Diagnostics : llvm::DiagnosticHandler {
  explicit Diagnostics(std::string &text) : text(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() == llvm::DS_Error) {
      llvm::raw_string_ostream stream(text);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }
  std::string &text;
};

void setAttributes(llvm::Module &module, const LevelFacts &level) {
  const std::string bits = std::to_string(level.vectorBits);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", level.cpu);
    if (*level.features)
      function.addFnAttr("target-features", level.features);
    // LLVM would rather split long vectors on v4 than use its registers.
    function.addFnAttr("prefer-vector-width", bits);
    function.addFnAttr("min-legal-vector-width", bits);
    function.addFnAttr("no-builtins");
    function.setDoesNotThrow();
  }
}

// LLVM ends the process where it meets any, for its parser is not linked.
bool holdsAssembly(const llvm::Module &module) {
  const auto isAssembly = [](const llvm::Instruction &instruction) {
    const auto *call = llvm::dyn_cast<llvm::CallBase>(&instruction);
    return call && call->isInlineAsm();
  };
  return !module.getModuleInlineAsm().empty() || llvm::any_of(module, [&](const llvm::Function &function) {
    return llvm::any_of(llvm::instructions(function), isAssembly);
  });
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions options;
  options.LoopVectorization = options.SLPVectorization = options.LoopInterleaving = options.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, options);
  llvm::TargetLibraryInfoImpl libraries(machine.getTargetTriple());
  libraries.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(libraries); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

} // namespace

llvm::Expected<std::string> compileObject(mlir::ModuleOp source, Level level, ObjectCache &cache) {
  const LevelFacts &facts = cpu::facts(level);
  std::string error;
  auto fail = [&](const char *step) {
    return llvm::createStringError(std::string("kernel to an object: ") + step + (error.empty() ? "" : ": ") + error);
  };
  llvm::LLVMContext context;
  context.setDiagnosticHandler(std::make_unique<Diagnostics>(error));
  std::unique_ptr<llvm::Module> module;
  {
    mlir::ScopedDiagnosticHandler collect(source.getContext(), [&](mlir::Diagnostic &diagnostic) {
      error += (error.empty() ? "" : "; ") + diagnostic.str();
      return mlir::success();
    });
    module = mlir::translateModuleToLLVMIR(source, context, "xfmr-kernels");
  }
  if (!module)
    return fail("translation");
  if (holdsAssembly(*module))
    return fail("it holds assembly, which is not read here");
  const llvm::Triple triple(facts.triple);
  std::unique_ptr<llvm::TargetMachine> machine(
      targetOf(triple).createTargetMachine(triple, facts.cpu, facts.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
                                           std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  assert(machine && "levels are processors that LLVM knows");
  module->setTargetTriple(triple);
  module->setDataLayout(machine->createDataLayout());
  setAttributes(*module, facts);
  const std::string key = cache.key(*module);
  if (std::optional<std::string> object = cache.find(key))
    return std::move(*object);
  optimize(*module, *machine);

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager emit;
  llvm::TargetLibraryInfoImpl libraries(triple);
  libraries.disableAllFunctions();
  emit.add(new llvm::TargetLibraryInfoWrapperPass(libraries));
  if (machine->addPassesToEmitFile(emit, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
    llvm_unreachable("both architectures have object files");
  emit.run(*module);
  if (!error.empty())
    return fail("code generation"); // untested: nothing is known of which LLVM complains in this way
  cache.keep(key, stream.str());
  return std::string(bytes.begin(), bytes.end());
}

} // namespace xfmr::codegen::cpu
