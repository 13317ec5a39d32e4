// A pass of one's own, outside the tree: says of each block how many products it has and how many numbers their weights hold.
// It asks for op classes of the dialect, not for names, and is loaded by `xfmr-opt --load-pass-plugin`.
#include "dialect/Xfmr.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {

struct CountLinears : PassWrapper<CountLinears, OperationPass<xfmr::BlockOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CountLinears)
  StringRef getArgument() const override { return "count-linears"; }
  StringRef getDescription() const override { return "count the products of each block"; }

  void runOnOperation() override {
    int64_t linears = 0, numbers = 0;
    getOperation().walk([&](xfmr::LinearOp op) {
      ++linears;
      numbers += op.getWeight().getType().getNumElements();
    });
    getOperation().emitRemark("block ") << getOperation().getLayer() << " has " << linears << " products of " << numbers
                                        << " weights";
    markAllAnalysesPreserved();
  }
};

} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK ::mlir::PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "CountLinears", "1.0", [] { PassRegistration<CountLinears>(); }};
}
