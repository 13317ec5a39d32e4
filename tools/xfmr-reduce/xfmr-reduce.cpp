// xfmr-reduce: shrinks IR that breaks something to a small case, by a script that says whether it still does.
#include "dialect/Xfmr.h"
#include "passes/Passes.h"
#include "tools/LastWords.h"
#include "tools/LlvmArguments.h"
#include "tools/UsageStatus.h"
#include "tools/xfmr-reduce/Simpler.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Reducer/Passes.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

static int fail(const llvm::Twine &what, int status) {
  llvm::errs() << "xfmr-reduce: error: " << what << "\n";
  return status;
}

/// The script of "traversal-mode=0 test=SCRIPT"; empty where none is named.
static std::string scriptOf(StringRef options) {
  const size_t at = options.rfind("test=");
  return at == StringRef::npos
             ? ""
             : options.drop_front(at + 5).take_until([](char c) { return c == ' ' || c == '}'; }).str();
}

/// MLIR aborts where it cannot run a script.
static std::string scriptFault(const std::string &script) {
  if (script.empty())
    return "say which script tells: -reduction-tree='traversal-mode=0 test=SCRIPT'";
  if (!llvm::sys::fs::exists(script))
    return "there is no script \"" + script + "\"";
  return llvm::sys::fs::can_execute(script) ? "" : "\"" + script + "\" is no program: chmod +x makes it one";
}

static int64_t countOps(ModuleOp module) {
  int64_t count = -1; // but the module
  module->walk([&](Operation *) { ++count; });
  return count;
}

static OwningOpRef<ModuleOp> read(StringRef path, MLIRContext &context) {
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler printed(sources, &context);
  return parseSourceFile<ModuleOp>(path, sources, &context);
}

int main(int argc, char **argv) {
  xfmr::installLastWords("xfmr-reduce");
  registerAllPasses();
  registerReducerPasses();
  xfmr::registerXfmrPasses();
  xfmr::hideOtherOptions();
  cl::opt<std::string> input(cl::Positional, cl::desc("FILE"), cl::init(""));
  cl::opt<std::string> output("o", cl::desc("where the small case goes (default: standard output)"),
                              cl::value_desc("FILE"), cl::init("-"));
  PassPipelineCLParser passes("", "How to reduce: reduction-tree, or opt-reduction-pass");
  if (std::optional<int> status = xfmr::checkArguments(argc, argv, {"xfmr-reduce"}))
    return *status;
  {
    xfmr::UsageStatus wrongUsage;
    cl::ParseCommandLineOptions(argc, argv, "Shrinks IR while a script still ends with 1 on it.\n");
  }
  if (input.empty())
    return fail("FILE is required: MLIR text or bytecode", 2);
  if (!passes.hasAnyOccurrences())
    return fail("say how to reduce: -reduction-tree='traversal-mode=0 test=SCRIPT'", 2);
  std::string script;
  bool tree = false; // then models are taken apart too
  for (int i = 1; i < argc; ++i)
    if (StringRef(argv[i]).contains("reduction-")) {
      script = scriptOf(argv[i]);
      tree |= StringRef(argv[i]).contains("reduction-tree");
      if (std::string fault = scriptFault(script); !fault.empty())
        return fail(fault, 2);
    }
  if (const std::string fault = xfmr::inputFault(input); !fault.empty())
    return fail(fault, 1);

  DialectRegistry registry;
  registerAllDialects(registry);
  registry.insert<xfmr::XfmrDialect>();
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = read(input, context);
  if (!module)
    return 1;
  const int64_t before = countOps(*module);
  std::string error, said;
  std::unique_ptr<llvm::ToolOutputFile> out = openOutputFile(output, &error);
  if (!out)
    return fail(error, 1);
  // Most of what is tried on the way is invalid IR, and says so.
  ScopedDiagnosticHandler quiet(&context, [&](Diagnostic &diagnostic) {
    said = diagnostic.str();
    return success();
  });
  PassManager manager(&context, ModuleOp::getOperationName());
  const auto refuse = [&](const llvm::Twine &message) {
    said = message.str();
    return failure();
  };
  if (failed(passes.addToPipeline(manager, refuse)))
    return fail(said, 2);
  if (failed(manager.run(*module)))
    return fail(said, 1);
  if (tree)
    xfmr::simplify(module, Tester(script, {}));
  llvm::errs() << "xfmr-reduce: " << countOps(*module) << " of " << before << " operations are left\n";
  module->print(out->os());
  out->os() << "\n";
  out->keep();
  return 0;
}
