// The conversion is one full dialect conversion. One pattern replaces upstream's: the barrier,
// which here also orders storage buffers. After it upstream's ABI lowering and capability deduction
// run, and what the latter overlooks is added. Modules with products of matrix units are SPIR-V 1.6
// and follow Vulkan's memory model, as the extension demands; all others are 1.3.
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/codegen/vulkan/LoopResults.h"
#include "passes/codegen/vulkan/TexelBuffers.h"
#include "mlir/Conversion/ArithToSPIRV/ArithToSPIRV.h"
#include "mlir/Conversion/GPUToSPIRV/GPUToSPIRV.h"
#include "mlir/Conversion/MathToSPIRV/MathToSPIRV.h"
#include "mlir/Conversion/MemRefToSPIRV/MemRefToSPIRV.h"
#include "mlir/Conversion/SCFToSPIRV/SCFToSPIRV.h"
#include "mlir/Conversion/UBToSPIRV/UBToSPIRV.h"
#include "mlir/Conversion/VectorToSPIRV/VectorToSPIRV.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/SPIRV/Transforms/Passes.h"
#include "mlir/Dialect/SPIRV/Transforms/SPIRVConversion.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/SPIRV/Serialization.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace xfmr::codegen {
namespace {

// Only what Vulkan 1.1 guarantees, plus what tuned variants ask for by name.
spirv::TargetEnvAttr targetEnv(MLIRContext *context, bool matrixUnits) {
  using C = spirv::Capability;
  SmallVector<C> capabilities = {C::Shader, C::GroupNonUniform, C::GroupNonUniformArithmetic,
                                 C::GroupNonUniformShuffle, C::GroupNonUniformBallot, C::GroupNonUniformVote,
                                 C::SampledBuffer};
  SmallVector<spirv::Extension> extensions = {spirv::Extension::SPV_KHR_storage_buffer_storage_class};
  if (matrixUnits) {
    capabilities.append({C::Float16, C::VulkanMemoryModel, C::CooperativeMatrixKHR});
    extensions.push_back(spirv::Extension::SPV_KHR_cooperative_matrix);
  }
  auto triple = spirv::VerCapExtAttr::get(matrixUnits ? spirv::Version::V_1_6 : spirv::Version::V_1_3, capabilities,
                                          extensions, context);
  Builder b(context);
  auto limits = spirv::ResourceLimitsAttr::get(
      context, /*max_compute_shared_memory_size=*/16384, /*max_compute_workgroup_invocations=*/128,
      b.getI32ArrayAttr({128, 128, 64}), /*subgroup_size=*/32, std::nullopt, std::nullopt,
      ArrayAttr(), ArrayAttr());
  return spirv::TargetEnvAttr::get(triple, limits, spirv::ClientAPI::Vulkan, spirv::Vendor::Unknown,
                                   spirv::DeviceType::Unknown,
                                   spirv::TargetEnvAttr::kUnknownDeviceID);
}

// Upstream's barrier orders workgroup memory only.
struct BarrierPattern : OpConversionPattern<gpu::BarrierOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(gpu::BarrierOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    using S = spirv::MemorySemantics;
    rewriter.replaceOpWithNewOp<spirv::ControlBarrierOp>(
        op, spirv::Scope::Workgroup, spirv::Scope::Workgroup,
        S::WorkgroupMemory | S::UniformMemory | S::AcquireRelease);
    return success();
  }
};

std::optional<spirv::StorageClass> storageClass(Attribute space) {
  if (auto address = dyn_cast_or_null<gpu::AddressSpaceAttr>(space)) {
    switch (address.getValue()) {
    case gpu::AddressSpace::Workgroup:
      return spirv::StorageClass::Workgroup;
    case gpu::AddressSpace::Private:
      return spirv::StorageClass::Function;
    default:
      return spirv::StorageClass::StorageBuffer;
    }
  }
  return spirv::mapMemorySpaceToVulkanStorageClass(space); // none: storage buffer
}

LogicalResult refuseBf16(gpu::GPUModuleOp module) {
  auto isBf16 = [](Type type) {
    if (auto memref = dyn_cast<MemRefType>(type))
      type = memref.getElementType();
    return getElementTypeOrSelf(type).isBF16();
  };
  auto walk = module.walk([&](Operation *op) {
    bool blockArguments = false;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        blockArguments |= llvm::any_of(block.getArgumentTypes(), isBf16);
    if (!blockArguments && !llvm::any_of(op->getOperandTypes(), isBf16) &&
        !llvm::any_of(op->getResultTypes(), isBf16))
      return WalkResult::advance();
    op->emitError("bf16 must be unpacked from 32-bit words before it is turned into SPIR-V");
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult convert(gpu::GPUModuleOp module) {
  MLIRContext *context = module.getContext();
  const bool matrixUnits =
      module.walk([](gpu::SubgroupMmaComputeOp) { return WalkResult::interrupt(); }).wasInterrupted();
  auto env = targetEnv(context, matrixUnits);
  module->setAttr(spirv::getTargetEnvAttrName(), env);
  spirv::MemorySpaceToStorageClassConverter space(storageClass);
  spirv::convertMemRefTypesAndAttrs(module, space);
  SPIRVTypeConverter types(env, SPIRVConversionOptions{}); // 32-bit index
  auto target = SPIRVConversionTarget::get(env);
  ScfToSPIRVContext scfContext;
  RewritePatternSet patterns(context);
  if (matrixUnits) {
    populateMMAToSPIRVCoopMatrixTypeConversion(types);
    populateGpuWMMAToSPIRVCoopMatrixKHRConversionPatterns(types, patterns);
  }
  patterns.add<BarrierPattern>(types, context, /*benefit=*/10);
  populateGPUToSPIRVPatterns(types, patterns);
  arith::populateArithToSPIRVPatterns(types, patterns);
  populateMathToSPIRVPatterns(types, patterns);
  populateMemRefToSPIRVPatterns(types, patterns);
  populateVectorToSPIRVPatterns(types, patterns);
  populateSCFToSPIRVPatterns(types, scfContext, patterns);
  ub::populateUBToSPIRVConversionPatterns(types, patterns);
  return applyFullConversion(module, *target, std::move(patterns));
}

// Under Vulkan's memory model, other invocations see what one stores only where both say so: at the barriers and at each
// load and store.
void followVulkanMemoryModel(spirv::ModuleOp module) {
  using S = spirv::MemorySemantics;
  constexpr auto kShared = spirv::MemoryAccess::NonPrivatePointer;
  module.setMemoryModel(spirv::MemoryModel::Vulkan);
  auto isShared = [](Value pointer) {
    auto space = cast<spirv::PointerType>(pointer.getType()).getStorageClass();
    return space == spirv::StorageClass::Workgroup || space == spirv::StorageClass::StorageBuffer;
  };
  module.walk([&](Operation *op) {
    if (auto load = dyn_cast<spirv::LoadOp>(op); load && isShared(load.getPtr()))
      load.setMemoryAccess(kShared);
    else if (auto store = dyn_cast<spirv::StoreOp>(op); store && isShared(store.getPtr()))
      store.setMemoryAccess(kShared);
    else if (auto load = dyn_cast<spirv::KHRCooperativeMatrixLoadOp>(op))
      load.setMemoryOperand(kShared);
    else if (auto store = dyn_cast<spirv::KHRCooperativeMatrixStoreOp>(op))
      store.setMemoryOperand(kShared);
    else if (auto barrier = dyn_cast<spirv::ControlBarrierOp>(op))
      barrier.setMemorySemantics(barrier.getMemorySemantics() | S::MakeAvailable | S::MakeVisible);
  });
}

// Capability deduction looks at operations, not at BuiltIn decorations.
void fixCapabilities(spirv::ModuleOp module) {
  auto triple = module.getVceTriple();
  if (!triple)
    return;
  bool subgroup = false;
  for (auto variable : module.getOps<spirv::GlobalVariableOp>())
    if (auto builtin = variable.getBuiltIn())
      subgroup |= *builtin == "SubgroupSize" || *builtin == "NumSubgroups" ||
                  *builtin == "SubgroupId" || *builtin == "SubgroupLocalInvocationId";
  auto capabilities = llvm::to_vector(triple->getCapabilities());
  if (subgroup && !llvm::is_contained(capabilities, spirv::Capability::GroupNonUniform))
    capabilities.push_back(spirv::Capability::GroupNonUniform);
  const bool matrixUnits = llvm::is_contained(capabilities, spirv::Capability::CooperativeMatrixKHR);
  if (matrixUnits) {
    startLoopResults(module);
    followVulkanMemoryModel(module);
    if (!llvm::is_contained(capabilities, spirv::Capability::VulkanMemoryModel))
      capabilities.push_back(spirv::Capability::VulkanMemoryModel);
  }
  const auto version = matrixUnits ? spirv::Version::V_1_6 : spirv::Version::V_1_3;
  module.setVceTripleAttr(spirv::VerCapExtAttr::get(version, capabilities,
                                                    llvm::to_vector(triple->getExtensions()),
                                                    module.getContext()));
}

// Says of buffers that pass results from workgroup to workgroup that every load and store is of the memory all of them see, and
// of atomic operations on buffers that they order those. On workgroup memory they order nothing: barriers do.
void shareAmongGroups(spirv::ModuleOp module) {
  using S = spirv::MemorySemantics;
  module.walk([](spirv::AtomicIAddOp add) {
    const bool onBuffer =
        cast<spirv::PointerType>(add.getPointer().getType()).getStorageClass() == spirv::StorageClass::StorageBuffer;
    add.setSemantics(onBuffer ? S::AcquireRelease | S::UniformMemory : S::None);
  });
  eachListed(module, kCoherentBindings, [&](spirv::GlobalVariableOp variable) {
    variable->setAttr("coherent", UnitAttr::get(module.getContext()));
  });
}

// The gpu.module becomes a spirv.module in its place, which takes over what is said of its bindings.
LogicalResult convertInPlace(gpu::GPUModuleOp module) {
  Block *block = module->getBlock();
  Operation *before = module->getPrevNode();
  SmallVector<NamedAttribute> said;
  for (NamedAttribute attribute : module->getAttrs())
    if (attribute.getName() == kCoherentBindings || attribute.getName() == kTexelBindings)
      said.push_back(attribute);
  if (failed(convert(module)))
    return failure();
  Operation *converted = before ? before->getNextNode() : &block->front();
  for (NamedAttribute attribute : said)
    converted->setAttr(attribute.getName(), attribute.getValue());
  return success();
}

// Steps of the pipeline, on whatever op holds the gpu.module.
struct GpuToSpirv : PassWrapper<GpuToSpirv, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GpuToSpirv)
  StringRef getName() const override { return "gpu-to-spirv"; }
  void getDependentDialects(DialectRegistry &registry) const override { registerKernelDialects(registry); }
  void runOnOperation() override {
    for (auto module : llvm::make_early_inc_range(getOperation()->getRegion(0).getOps<gpu::GPUModuleOp>()))
      if (failed(refuseBf16(module)) || failed(convertInPlace(module)))
        return signalPassFailure();
  }
};

struct ReadTexels : PassWrapper<ReadTexels, OperationPass<spirv::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ReadTexels)
  StringRef getName() const override { return "read-texels"; }
  void runOnOperation() override { readTexels(getOperation()); }
};

struct FixCapabilities : PassWrapper<FixCapabilities, OperationPass<spirv::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FixCapabilities)
  StringRef getName() const override { return "fix-capabilities"; }
  void runOnOperation() override {
    shareAmongGroups(getOperation());
    fixCapabilities(getOperation());
  }
};

} // namespace

void eachListed(spirv::ModuleOp module, const char *bindings, function_ref<void(spirv::GlobalVariableOp)> body) {
  auto listed = llvm::dyn_cast_or_null<DenseI32ArrayAttr>(module->removeAttr(bindings));
  for (auto variable : module.getOps<spirv::GlobalVariableOp>())
    if (auto binding = variable.getBinding();
        listed && binding && llvm::is_contained(listed.asArrayRef(), static_cast<int32_t>(*binding)))
      body(variable);
}

void registerKernelDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, gpu::GPUDialect, math::MathDialect, memref::MemRefDialect,
                  scf::SCFDialect, spirv::SPIRVDialect, ub::UBDialect, vector::VectorDialect>();
}

void buildSpirvPipeline(OpPassManager &manager) {
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(std::make_unique<GpuToSpirv>());
  OpPassManager &nested = manager.nest<spirv::ModuleOp>();
  nested.addPass(spirv::createSPIRVLowerABIAttributesPass());
  nested.addPass(std::make_unique<ReadTexels>()); // before capabilities are deduced
  nested.addPass(spirv::createSPIRVUpdateVCEPass());
  nested.addPass(std::make_unique<FixCapabilities>());
}

FailureOr<std::vector<uint32_t>> serializeSpirv(spirv::ModuleOp module) {
  SmallVector<uint32_t> words;
  if (failed(spirv::serialize(module, words)))
    return failure();
  return std::vector<uint32_t>(words.begin(), words.end());
}

llvm::Expected<std::vector<uint32_t>> toSpirv(ModuleOp module) {
  std::string diagnostics;
  ScopedDiagnosticHandler collect(module.getContext(), [&](Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  auto fail = [&](const char *step) {
    return llvm::createStringError(std::string("kernel to SPIR-V: ") + step + " failed" +
                                   (diagnostics.empty() ? "" : ": " + diagnostics));
  };
  if (failed(verify(module)))
    return fail("verification");
  PassManager manager(module.getContext());
  buildSpirvPipeline(manager);
  if (failed(manager.run(module)))
    return fail("conversion");
  auto results = llvm::to_vector(module.getOps<spirv::ModuleOp>());
  if (results.size() != 1)
    return llvm::createStringError("kernel to SPIR-V: expected one gpu.module, found %zu", results.size());
  FailureOr<std::vector<uint32_t>> words = serializeSpirv(results.front());
  return succeeded(words) ? llvm::Expected<std::vector<uint32_t>>(std::move(*words)) : fail("serialization");
}

} // namespace xfmr::codegen
