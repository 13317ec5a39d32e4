// xfmr-lower-executables: from gpu modules to SPIR-V modules, from CPU modules to the llvm dialect, each variant by itself.
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/lowering/Stage.h"
#include "passes/lowering/ExecutablePasses.h"

#include "mlir/Pass/PassManager.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRLOWEREXECUTABLES
#include "passes/lowering/ExecutablePasses.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;

namespace {

struct LowerExecutables : xfmr::impl::XfmrLowerExecutablesBase<LowerExecutables> {
  using XfmrLowerExecutablesBase::XfmrLowerExecutablesBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    XfmrLowerExecutablesBase::getDependentDialects(registry);
    codegen::registerKernelDialects(registry);
    codegen::cpu::registerKernelDialects(registry);
  }

  void runOnOperation() override {
    for (VariantOp variant : variantsOf(getOperation()))
      if (!isLowered(variant) && failed(lower(variant))) {
        variant.emitError("variant ") << variant.getName() << " of @" << getOperation().getSymName()
                                      << " cannot be lowered";
        return signalPassFailure();
      }
  }

  LogicalResult lower(VariantOp variant) {
    Operation &module = variant.getBody().front().front();
    if (isa<gpu::GPUModuleOp>(module)) {
      OpPassManager pipeline(VariantOp::getOperationName());
      codegen::buildSpirvPipeline(pipeline);
      return runPipeline(pipeline, variant);
    }
    std::optional<codegen::cpu::Level> level = codegen::cpu::parseLevel(variant.getName());
    if (!isa<ModuleOp>(module) || !level)
      return variant.emitError("expected a gpu.module, or a builtin.module in a variant called after a level");
    OpPassManager pipeline(ModuleOp::getOperationName());
    codegen::cpu::addLowering(pipeline, *level);
    return runPipeline(pipeline, &module);
  }
};

} // namespace
