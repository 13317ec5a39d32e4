// xfmr-opt: everything mlir-opt offers, plus the xfmr dialect and its passes; `xfmr-opt IN -o OUT` keeps relative source
// paths right when OUT lies in another folder.
#include "dialect/Xfmr.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/lowering/Passes.h"
#include "tools/LastWords.h"
#include "tools/LlvmArguments.h"
#include "tools/UsageStatus.h"
#include "tools/xfmr-opt/SourcePaths.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;

// Runs the pipeline of the command line between two steps of our own.
static LogicalResult moveThroughPipeline(StringRef input, StringRef output, DialectRegistry &registry) {
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  const MlirOptMainConfig asked = config;
  config.setPassPipelineSetupFn([&, asked](PassManager &passes) {
    xfmr::addSourcePathsBefore(passes);
    if (failed(asked.setupPassPipeline(passes)))
      return failure();
    xfmr::addSourcePathsAfter(passes, input, output);
    return success();
  });
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(input, &error);
  std::unique_ptr<llvm::ToolOutputFile> out = file ? openOutputFile(output, &error) : nullptr;
  if (!out) {
    llvm::errs() << error << "\n";
    return failure();
  }
  if (failed(MlirOptMain(out->os(), std::move(file), registry, config)))
    return failure();
  out->keep();
  return success();
}

// A default of ours for an option of MLIR's.
static void setUnlessGiven(StringLiteral flag, StringRef value) {
  auto found = llvm::cl::getRegisteredOptions().find(flag);
  if (found != llvm::cl::getRegisteredOptions().end() && found->second->getNumOccurrences() == 0)
    found->second->addOccurrence(0, flag, value);
}

int main(int argc, char **argv) {
  xfmr::installLastWords("xfmr-opt");
  registerAllPasses();
  xfmr::registerXfmrPasses();
  xfmr::registerXfmrLoweringPasses();
  xfmr::registerXfmrPipeline();
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<xfmr::XfmrDialect>();
  xfmr::registerSourcePaths();
  static llvm::cl::opt<bool> remarks("remarks", llvm::cl::desc("show what passes say about each op, with its layer"));
  static llvm::cl::opt<std::string> page("help-pass", llvm::cl::desc("what a pass does, refuses and takes"),
                                         llvm::cl::value_desc("NAME"));
  const std::string help = registerCLIOptions("xfmr optimizer driver\n", registry);
  constexpr xfmr::LaterOption later[] = {{"o", "FILE"}};
  if (std::optional<int> status = xfmr::checkArguments(argc, argv, {"xfmr-opt", 1, later}))
    return *status;
  auto [input, output] = [&, argc = argc, argv = argv] {
    xfmr::UsageStatus wrongUsage;
    return parseCLIOptions(argc, argv, help);
  }();
  setUnlessGiven("mlir-print-op-on-diagnostic", "false"); // it may be a whole model
  if (!remarks)
    setUnlessGiven("mlir-diagnostic-verbosity-level", "warnings");
  if (failed(xfmr::placeSources(input, output, registry)))
    return 2;
  if (const std::string fault = xfmr::inputFault(input); !fault.empty()) {
    llvm::errs() << "xfmr-opt: error: " << fault << "\n";
    return 1;
  }
  if (!xfmr::needsSourcePaths(input, output))
    return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
  llvm::InitLLVM init(argc, argv);
  return asMainReturnCode(moveThroughPipeline(input, output, registry));
}
