// Registration of the passes so that each nests itself. MLIR's own registration nests one level at most, but a
// block lies two levels below the module. So every flag is registered as a small pipeline: it looks at the level
// it is added to and opens the levels between. The passes then run on blocks in parallel under the pass manager.
#include "passes/DistillPasses.h"
#include "passes/MoePasses.h"
#include "passes/PassHelp.h"
#include "passes/Passes.h"
#include "passes/ProbePasses.h"
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

std::string printed(Pass &pass) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  pass.printAsTextualPipeline(stream);
  return StringRef(text).drop_front(pass.getArgument().size()).str();
}

// The first name that stands before '=' in `options`, outside of braces and quotes, and is none of the pass's.
std::string unknownOption(Pass &pass, StringRef options) {
  const std::vector<std::string> known = passOptions(pass.getArgument());
  int depth = 0;
  char quote = 0;
  size_t begin = 0;
  for (size_t i = 0; i < options.size(); ++i) {
    const char c = options[i];
    if (quote || c == '\'' || c == '"')
      quote = quote ? (c == quote ? 0 : quote) : c;
    else if (c == '{' || c == '}')
      depth += c == '{' ? 1 : -1;
    else if (c == ' ')
      begin = i + 1;
    if (c != '=' || depth || quote || begin > i)
      continue;
    const StringRef name = options.slice(begin, i);
    begin = options.size() + 1; // until the next space
    if (llvm::is_contained(known, name) || name.empty())
      continue;
    std::string nearest;
    unsigned least = 1 + static_cast<unsigned>(name.size()) / 3;
    for (StringRef each : known)
      if (unsigned far = name.edit_distance(each); far <= least)
        least = far, nearest = each.str();
    return "no such option " + name.str() + " of " + pass.getArgument().str() +
           (nearest.empty() ? "; --help-pass=" + pass.getArgument().str() + " lists them"
                            : "; did you mean " + nearest + "?");
  }
  return "";
}

// Adds the pass below `manager`, at the level the pass is declared for.
LogicalResult addNested(OpPassManager &manager, CreatePass create, StringRef options,
                        function_ref<LogicalResult(const Twine &)> errorHandler) {
  std::unique_ptr<Pass> pass = create();
  if (std::string wrong = unknownOption(*pass, options); !wrong.empty())
    return errorHandler(wrong);
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
  const std::string options = printed(pass);
  return pass.getDescription().str() + (options.empty() ? "" : " " + options);
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

constexpr CreatePass kPasses[] = {
    createXfmrCastWeights,
    createXfmrCompressBudget,
    createXfmrQuantize,
    createXfmrQuantizeBudget,
    createXfmrEditFfn,
    createXfmrFoldLinears,
    createXfmrFoldLora,
    createXfmrFuseGlu,
    createXfmrFuseQkv,
    createXfmrInsertProbes,
    createXfmrMuteHeads,
    createXfmrMakeWeights,
    createXfmrMaskExperts,
    createXfmrMaskFfn,
    createXfmrMaskHeads,
    createXfmrMaskLayers,
    createXfmrPruneBudget,
    createXfmrPruneExperts,
    createXfmrPruneFfn,
    createXfmrPruneHeads,
    createXfmrPruneLayers,
    createXfmrGenerateKernels,
    createXfmrUpcycleMoe,
    createXfmrCarveMoe,
    createXfmrMergeExperts,
    createXfmrDistill,
    createXfmrLowerExecutables,
    createXfmrSerializeExecutables,
    createXfmrVerifyStage,
};

} // namespace

void registerXfmrPasses() {
  for (CreatePass create : kPasses)
    registerNesting(create);
}

std::unique_ptr<Pass> createPassOf(StringRef flag) {
  for (CreatePass create : kPasses)
    if (std::unique_ptr<Pass> pass = create(); pass->getArgument() == flag)
      return pass;
  return nullptr;
}

} // namespace xfmr
