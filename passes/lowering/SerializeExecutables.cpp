// xfmr-serialize-executables: the words of each SPIR-V module, the object file of each module for the CPU.
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/cpu/Object.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include "passes/lowering/ExecutablePasses.h"

#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRSERIALIZEEXECUTABLES
#include "passes/lowering/ExecutablePasses.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;

namespace {

struct SerializeExecutables : xfmr::impl::XfmrSerializeExecutablesBase<SerializeExecutables> {
  using XfmrSerializeExecutablesBase::XfmrSerializeExecutablesBase;

  void getDependentDialects(DialectRegistry &registry) const override { // what the translation to LLVM must know
    XfmrSerializeExecutablesBase::getDependentDialects(registry);
    codegen::cpu::registerKernelDialects(registry);
  }

  void runOnOperation() override {
    for (VariantOp variant : variantsOf(getOperation()))
      if (!variant.getCode() && failed(serialize(variant)))
        return signalPassFailure();
  }

  LogicalResult serialize(VariantOp variant) {
    std::optional<codegen::cpu::Level> level = codegen::cpu::parseLevel(variant.getName());
    if (auto module = dyn_cast<ModuleOp>(variant.getBody().front().front()); module && level)
      return compile(variant, module, *level);
    auto module = dyn_cast<spirv::ModuleOp>(variant.getBody().front().front());
    if (!module)
      return variant.emitError("expected a spirv.module, found ")
             << variant.getBody().front().front().getName() << "; run xfmr-lower-executables first";
    FailureOr<std::vector<uint32_t>> words = codegen::serializeSpirv(module);
    if (failed(words))
      return failure();
    auto type = RankedTensorType::get({static_cast<int64_t>(words->size())}, IntegerType::get(&getContext(), 32));
    setCode(variant, DenseElementsAttr::get(type, ArrayRef<uint32_t>(*words)));
    return success();
  }

  LogicalResult compile(VariantOp variant, ModuleOp module, codegen::cpu::Level level) {
    llvm::Expected<std::string> object = codegen::cpu::compileObject(module, level);
    if (!object)
      return variant.emitError(llvm::toString(object.takeError()));
    auto type = RankedTensorType::get({static_cast<int64_t>(object->size())}, IntegerType::get(&getContext(), 8));
    setCode(variant, DenseElementsAttr::getFromRawBuffer(type, ArrayRef<char>(object->data(), object->size())));
    return success();
  }

  void setCode(VariantOp variant, DenseElementsAttr code) {
    variant.setCodeAttr(code);
    variant.getBody().front().clear();
    numBytes += code.getRawData().size();
  }
};

} // namespace
