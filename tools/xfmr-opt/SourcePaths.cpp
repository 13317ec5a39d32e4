// See SourcePaths.h.
#include "tools/xfmr-opt/SourcePaths.h"
#include "import/Import.h"
#include "weights/ModelSources.h"
#include "weights/Summary.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/CommandLine.h"
#include <filesystem>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr {
namespace {

// Operations at the top other than a module stay as they are.
struct CheckSources : PassWrapper<CheckSources, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckSources)
  StringRef getArgument() const override { return "xfmr-check-sources"; }
  StringRef getDescription() const override { return "Refuses names of --source that no model has"; }
  void runOnOperation() override {
    auto module = dyn_cast<ModuleOp>(getOperation());
    if (!module)
      return;
    if (Status status = checkReplacedSources(module, sourcePlaces(&getContext()).replaced); status.failed()) {
      emitError(UnknownLoc::get(&getContext())) << status.message();
      signalPassFailure();
    }
  }
};

struct MoveSources : PassWrapper<MoveSources, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MoveSources)
  MoveSources() = default;
  MoveSources(const MoveSources &other) : PassWrapper(other) {}
  MoveSources(std::string fromFolder, std::string toFolder) {
    from = std::move(fromFolder);
    to = std::move(toFolder);
  }
  StringRef getArgument() const override { return "xfmr-move-sources"; }
  StringRef getDescription() const override {
    return "Rewrites relative paths of sources for IR that moves from one folder to another";
  }
  void runOnOperation() override {
    if (auto module = dyn_cast<ModuleOp>(getOperation()))
      moveSources(module, from, to);
  }
  Option<std::string> from{*this, "from", llvm::cl::desc("folder that the IR was read from"), llvm::cl::init("")};
  Option<std::string> to{*this, "to", llvm::cl::desc("folder that it is written to"), llvm::cl::init("")};
};

// What each context of the tool gets when it loads the dialect.
struct Places : DialectExtension<Places, XfmrDialect> {
  explicit Places(SourcePlaces places) : places(std::move(places)) {}
  void apply(MLIRContext *context, XfmrDialect *) const override {
    attachSourcePlaces(context) = places;
    printSummaries(context, "xfmr-opt");
  }
  SourcePlaces places;
};

std::vector<std::string> *sourceOptions = nullptr; // of the command line

std::string folderOf(StringRef file) { return fs::path(file.str()).parent_path().string(); }

bool sameFolder(StringRef a, StringRef b) {
  std::error_code ignored;
  auto whole = [&](StringRef file) {
    return fs::weakly_canonical(fs::absolute(file.str(), ignored).parent_path(), ignored);
  };
  return whole(a) == whole(b);
}

} // namespace

void registerSourcePaths() {
  static llvm::cl::list<std::string> options("source", llvm::cl::desc("where a weight source lies"),
                                             llvm::cl::value_desc("NAME=PATH"));
  sourceOptions = &options;
  PassRegistration<CheckSources>();
  PassRegistration<MoveSources>();
}

LogicalResult placeSources(StringRef input, StringRef output, DialectRegistry &registry) {
  SourcePlaces places;
  if (input != "-")
    places.folder = folderOf(input);
  if (output != "-")
    places.output = folderOf(output);
  if (Status status = parseSourceOptions(*sourceOptions, places.replaced); status.failed()) {
    llvm::errs() << "xfmr-opt: error: " << status.message() << "\n";
    return failure();
  }
  registry.addExtension(TypeID::get<Places>(), std::make_unique<Places>(std::move(places)));
  return success();
}

bool needsSourcePaths(StringRef input, StringRef output) {
  return !sourceOptions->empty() || (input != "-" && output != "-" && !sameFolder(input, output));
}

void addSourcePathsBefore(PassManager &passes) {
  if (!sourceOptions->empty())
    passes.addPass(std::make_unique<CheckSources>());
}

void addSourcePathsAfter(PassManager &passes, StringRef input, StringRef output) {
  if (input != "-" && output != "-" && !sameFolder(input, output))
    passes.addPass(std::make_unique<MoveSources>(folderOf(input), folderOf(output)));
}

} // namespace xfmr
