// See SourcePaths.h.
#include "tools/xfmr-opt/SourcePaths.h"
#include "import/Import.h"

#include "mlir/Pass/Pass.h"
#include <filesystem>

using namespace mlir;
namespace fs = std::filesystem;

namespace xfmr {
namespace {

// A pass that is a function of the module and no more; operations at the top other than a module stay as they are.
struct Step : PassWrapper<Step, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Step)
  Step(StringRef name, std::function<void(ModuleOp)> step) : name(name), step(std::move(step)) {}
  StringRef getName() const override { return name; }
  void runOnOperation() override {
    if (auto module = dyn_cast<ModuleOp>(getOperation()))
      step(module);
  }
  StringRef name;
  std::function<void(ModuleOp)> step;
};

std::string folderOf(StringRef file) { return fs::path(file.str()).parent_path().string(); }

bool sameFolder(StringRef a, StringRef b) {
  std::error_code ignored;
  auto whole = [&](StringRef file) {
    return fs::weakly_canonical(fs::absolute(file.str(), ignored).parent_path(), ignored);
  };
  return whole(a) == whole(b);
}

} // namespace

bool needsSourcePaths(StringRef input, StringRef output) {
  if (input == "-" || output == "-")
    return input != "-" && input.ends_with(".mlirbc");
  return input.ends_with(".mlirbc") || !sameFolder(input, output);
}

void addSourcePathsBefore(PassManager &passes, StringRef input) {
  if (input.ends_with(".mlirbc"))
    passes.addPass(std::make_unique<Step>("locate-sources", [input](ModuleOp module) { locateModels(module, input); }));
}

void addSourcePathsAfter(PassManager &passes, StringRef input, StringRef output) {
  if (output != "-" && !sameFolder(input, output))
    passes.addPass(std::make_unique<Step>("move-sources", [input, output](ModuleOp module) {
      moveSources(module, folderOf(input), folderOf(output));
    }));
}

} // namespace xfmr
