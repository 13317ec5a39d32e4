// xfmr-generate-kernels: from the attribute of a kernel to its code.
#include "passes/codegen/cpu/Kernels.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/vulkan/Kernels.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/lowering/ExecutablePasses.h"
#include "runtime/profiles/Profile.h"
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
  llvm_unreachable("all kernels are above");
}

codegen::cpu::KernelModule buildCpu(StringRef name, KernelAttrInterface kernel, KernelParamsAttrInterface params,
                                    codegen::cpu::Level level) {
#define XFMR_BUILD(Name)                                                                                             \
  if (auto attribute = dyn_cast<Name##Attr>(kernel))                                                                 \
    return codegen::cpu::build(*kernel.getContext(), name, attribute.getFields(),                                    \
                               cast<Name##ParamsAttr>(params).getFields(), level);
  XFMR_KERNELS(XFMR_BUILD)
#undef XFMR_BUILD
  llvm_unreachable("all kernels are above");
}

codegen::cpu::Level codeLevel(KernelAttrInterface kernel, KernelParamsAttrInterface params, CpuLevel level) {
  const auto asked = static_cast<codegen::cpu::Level>(level);
#define XFMR_LEVEL(Name)                                                                                             \
  if (auto attribute = dyn_cast<Name##Attr>(kernel))                                                                 \
    return codegen::cpu::codeLevel(attribute.getFields(), cast<Name##ParamsAttr>(params).getFields(), asked);
  XFMR_KERNELS(XFMR_LEVEL)
#undef XFMR_LEVEL
  return asked;
}

struct GenerateKernels : xfmr::impl::XfmrGenerateKernelsBase<GenerateKernels> {
  using XfmrGenerateKernelsBase::XfmrGenerateKernelsBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    XfmrGenerateKernelsBase::getDependentDialects(registry);
    codegen::registerKernelDialects(registry);
    codegen::cpu::registerKernelDialects(registry);
  }

  void runOnOperation() override {
    ExecutableOp executable = getOperation();
    if (!variantsOf(executable).empty())
      return;
    OpBuilder builder(&getContext());
    builder.createBlock(&executable.getBody());
    TargetAttr target = executable->getParentOfType<ProgramOp>().targetOrPortable();
    if (llvm::Error error = target.isVulkan() ? generateVulkan(builder) : generateCpu(builder, target)) {
      executable.emitError(llvm::toString(std::move(error)));
      signalPassFailure();
    }
  }

  llvm::Error generateVulkan(OpBuilder &builder) {
    llvm::Expected<codegen::BuiltKernel> built = buildVariants(getOperation().getKernel());
    if (!built)
      return built.takeError();
    if (!deviceProfile.empty())
      if (llvm::Error error = keepForProfile(built->variants))
        return error;
    for (codegen::BuiltVariant &variant : built->variants) {
      SmallVector<StringRef> features(variant.features.begin(), variant.features.end());
      Operation &module = variant.module->getBody()->front();
      module.remove();
      append(builder, features.empty() ? "portable" : llvm::join(features, "+"), features, variant.workgroupSize,
             variant.sharedBytes, &module);
    }
    return llvm::Error::success();
  }

  // The variant that devices of the profile take, and the portable one.
  llvm::Error keepForProfile(std::vector<codegen::BuiltVariant> &variants) {
    std::string error;
    const profiles::Profile profile = profiles::findProfile(deviceProfile, error);
    if (!profile.family)
      return llvm::createStringError("device-profile: " + error);
    const std::set<std::string> &offered = profile.family->features;
    auto taken = llvm::find_if(variants, [&](const codegen::BuiltVariant &variant) {
      return llvm::all_of(variant.features, [&](const std::string &feature) { return offered.count(feature) > 0; });
    });
    variants.erase(variants.begin(), taken); // the last one requires nothing
    if (variants.size() > 2)
      variants.erase(std::next(variants.begin()), std::prev(variants.end()));
    return llvm::Error::success();
  }

  // One variant a level, the highest first; none for a level at which the kernel is that of another.
  llvm::Error generateCpu(OpBuilder &builder, TargetAttr target) {
    ExecutableOp executable = getOperation();
    if (!executable.getParams())
      return llvm::createStringError("its code for the CPU needs params, found none");
    std::optional<codegen::cpu::Level> last;
    for (CpuLevel asked : llvm::reverse(target.getLevels())) {
      const codegen::cpu::Level level = codeLevel(executable.getKernel(), *executable.getParams(), asked);
      if (last == level)
        continue;
      last = level;
      auto module = buildCpu(executable.getSymName(), executable.getKernel(), *executable.getParams(), level);
      if (!module)
        return module.takeError();
      StringRef name = codegen::cpu::facts(level).name;
      append(builder, name.str(), name, {1, 1, 1}, 0, module->release());
    }
    return llvm::Error::success();
  }

  void append(OpBuilder &builder, const std::string &name, ArrayRef<StringRef> features,
              const std::array<uint32_t, 3> &workgroupSize, uint32_t sharedBytes, Operation *module) {
    SmallVector<int32_t> workgroup(workgroupSize.begin(), workgroupSize.end());
    auto op = VariantOp::create(builder, getOperation().getLoc(), builder.getStringAttr(name),
                                features.empty() ? ArrayAttr() : builder.getStrArrayAttr(features),
                                builder.getDenseI32ArrayAttr(workgroup), builder.getI64IntegerAttr(sharedBytes),
                                ElementsAttr());
    Block &body = op.getBody().empty() ? op.getBody().emplaceBlock() : op.getBody().front();
    body.push_back(module);
    ++numVariants;
  }
};

} // namespace
