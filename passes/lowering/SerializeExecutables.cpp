// xfmr-serialize-executables: the words of each SPIR-V module, as the artifact holds them.
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

  void runOnOperation() override {
    for (VariantOp variant : variantsOf(getOperation()))
      if (!variant.getCode() && failed(serialize(variant)))
        return signalPassFailure();
  }

  LogicalResult serialize(VariantOp variant) {
    auto module = dyn_cast<spirv::ModuleOp>(variant.getBody().front().front());
    if (!module)
      return variant.emitError("expected a spirv.module, found ")
             << variant.getBody().front().front().getName() << "; run xfmr-lower-executables first";
    FailureOr<std::vector<uint32_t>> words = codegen::serializeSpirv(module);
    if (failed(words))
      return failure();
    auto type = RankedTensorType::get({static_cast<int64_t>(words->size())}, IntegerType::get(&getContext(), 32));
    variant.setCodeAttr(DenseElementsAttr::get(type, ArrayRef<uint32_t>(*words)));
    variant.getBody().front().clear();
    numBytes += words->size() * 4;
    return success();
  }
};

} // namespace
