// xfmr-generate-kernels: from the attribute of a kernel to its code.
#include "passes/codegen/vulkan/Kernels.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/lowering/ExecutablePasses.h"
#include "llvm/ADT/StringExtras.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRGENERATEKERNELS
#include "passes/lowering/ExecutablePasses.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;

namespace {

llvm::Expected<codegen::BuiltKernel> buildVariants(KernelAttrInterface kernel) {
#define XFMR_BUILD(Name)                                                                                             \
  if (auto attribute = dyn_cast<Name##Attr>(kernel))                                                                 \
    return codegen::buildVariants(*kernel.getContext(), attribute.getFields());
  XFMR_KERNELS(XFMR_BUILD)
#undef XFMR_BUILD
  return llvm::createStringError("no builder for #xfmr." + kernel.getFamily());
}

struct GenerateKernels : xfmr::impl::XfmrGenerateKernelsBase<GenerateKernels> {
  using XfmrGenerateKernelsBase::XfmrGenerateKernelsBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    XfmrGenerateKernelsBase::getDependentDialects(registry);
    codegen::registerKernelDialects(registry);
  }

  void runOnOperation() override {
    ExecutableOp executable = getOperation();
    if (!variantsOf(executable).empty())
      return;
    llvm::Expected<codegen::BuiltKernel> built = buildVariants(executable.getKernel());
    if (!built) {
      executable.emitError(llvm::toString(built.takeError()));
      return signalPassFailure();
    }
    OpBuilder builder(&getContext());
    builder.createBlock(&executable.getBody());
    for (codegen::BuiltVariant &variant : built->variants)
      append(builder, variant);
  }

  void append(OpBuilder &builder, codegen::BuiltVariant &variant) {
    SmallVector<StringRef> features(variant.features.begin(), variant.features.end());
    std::string name = features.empty() ? "portable" : llvm::join(features, "+");
    SmallVector<int32_t> workgroup(variant.workgroupSize.begin(), variant.workgroupSize.end());
    auto op = VariantOp::create(builder, getOperation().getLoc(), builder.getStringAttr(name),
                                features.empty() ? ArrayAttr() : builder.getStrArrayAttr(features),
                                builder.getDenseI32ArrayAttr(workgroup),
                                builder.getI64IntegerAttr(variant.sharedBytes), ElementsAttr());
    Block &body = op.getBody().empty() ? op.getBody().emplaceBlock() : op.getBody().front();
    Operation &module = variant.module->getBody()->front();
    module.remove();
    body.push_back(&module);
    ++numVariants;
  }
};

} // namespace
