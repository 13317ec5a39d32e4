// xfmr-lower-executables: from gpu modules to SPIR-V modules, each variant by itself.
#include "passes/codegen/vulkan/ToSpirv.h"
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
  }

  void runOnOperation() override {
    OpPassManager pipeline(VariantOp::getOperationName());
    codegen::buildSpirvPipeline(pipeline);
    for (VariantOp variant : variantsOf(getOperation()))
      if (!variant.getBody().getOps<gpu::GPUModuleOp>().empty() && failed(runPipeline(pipeline, variant))) {
        variant.emitError("variant ") << variant.getName() << " of @" << getOperation().getSymName()
                                      << " cannot be turned into SPIR-V";
        return signalPassFailure();
      }
  }
};

} // namespace
