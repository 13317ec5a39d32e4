// Registration of the passes so that each nests itself. MLIR's own registration nests one level at most, but a
// block lies two levels below the module. So every flag is registered as a small pipeline: it looks at the level
// it is added to and opens the levels between. The passes then run on blocks in parallel under the pass manager.
#include "passes/Passes.h"
#include "passes/lowering/ExecutablePasses.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace xfmr {
namespace {

using CreatePass = std::unique_ptr<Pass> (*)();

// The levels a pass may run on, each below the one before.
constexpr StringLiteral kModel[] = {"builtin.module", "xfmr.model", "xfmr.block"};
constexpr StringLiteral kProgram[] = {"builtin.module", "xfmr.program", "xfmr.executable"};

// From the level of `manager` down to `target`, without the first; none: `target` does not lie below.
std::optional<ArrayRef<StringLiteral>> pathTo(StringRef target, StringRef current) {
  for (ArrayRef<StringLiteral> levels : {ArrayRef(kModel), ArrayRef(kProgram)}) {
    const auto *last = llvm::find(levels, target), *first = llvm::find(levels, current);
    if (last != levels.end() && first <= last)
      return ArrayRef(first + 1, last + 1);
  }
  return std::nullopt;
}

// Adds the pass below `manager`, at the level the pass is declared for.
LogicalResult addNested(OpPassManager &manager, CreatePass create, StringRef options,
                        function_ref<LogicalResult(const Twine &)> errorHandler) {
  std::unique_ptr<Pass> pass = create();
  if (failed(pass->initializeOptions(options, errorHandler)))
    return failure();
  StringRef target = pass->getOpName().value_or("");
  std::optional<ArrayRef<StringLiteral>> path = pathTo(target, manager.getOpAnchorName());
  if (!path)
    return errorHandler("pass '" + pass->getArgument() + "' runs on '" + target + "' and cannot be nested under '" +
                        manager.getOpAnchorName() + "'");
  OpPassManager *at = &manager;
  for (StringLiteral level : *path)
    at = &at->nest(level);
  at->addPass(std::move(pass));
  return success();
}

// What --help says: the summary, and the options with their defaults (MLIR shows the options of passes, but keeps
// them out of reach of pipelines).
std::string describe(Pass &pass) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  pass.printAsTextualPipeline(stream);
  StringRef options = StringRef(text).drop_front(pass.getArgument().size());
  return pass.getDescription().str() + (options.empty() ? "" : " " + options.str());
}

void registerNesting(CreatePass create) {
  std::unique_ptr<Pass> pass = create();
  registerPassPipeline(
      pass->getArgument(), describe(*pass),
      [create](OpPassManager &manager, StringRef options, function_ref<LogicalResult(const Twine &)> errorHandler) {
        return addNested(manager, create, options, errorHandler);
      },
      [](function_ref<void(const mlir::detail::PassOptions &)>) {});
}

} // namespace

void registerXfmrPasses() {
  registerNesting(createXfmrCompressBudget);
  registerNesting(createXfmrEditFfn);
  registerNesting(createXfmrFoldLinears);
  registerNesting(createXfmrFoldLora);
  registerNesting(createXfmrFuseGlu);
  registerNesting(createXfmrFuseQkv);
  registerNesting(createXfmrMaskExperts);
  registerNesting(createXfmrMaskFfn);
  registerNesting(createXfmrMaskHeads);
  registerNesting(createXfmrMaskLayers);
  registerNesting(createXfmrPruneBudget);
  registerNesting(createXfmrPruneExperts);
  registerNesting(createXfmrPruneFfn);
  registerNesting(createXfmrPruneHeads);
  registerNesting(createXfmrPruneLayers);
  registerNesting(createXfmrQuantize);
  registerNesting(createXfmrQuantizeBudget);
  registerNesting(createXfmrGenerateKernels);
  registerNesting(createXfmrLowerExecutables);
  registerNesting(createXfmrSerializeExecutables);
  registerNesting(createXfmrVerifyStage);
}

} // namespace xfmr
