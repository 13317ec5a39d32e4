// Vulkan multiplies floats: nothing makes codes of rows there.
#include "passes/codegen/RowCodes.h"
#include "passes/codegen/vulkan/Kernels.h"

namespace xfmr::codegen {

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &, const RowCodesSpec &spec) {
  return llvm::createStringError("kernel " + spec.name() + ": only the CPU has it");
}

llvm::Error needsFloats(const std::string &kernel, WeightType weight) {
  if (!schemeOf(weight))
    return llvm::Error::success();
  return llvm::createStringError("kernel " + kernel + ": only the CPU reads weights of " + toString(weight));
}

} // namespace xfmr::codegen
