// Vulkan multiplies floats: nothing makes codes of rows there.
#include "passes/codegen/RowCodes.h"
#include "passes/codegen/vulkan/Kernels.h"

namespace xfmr::codegen {

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &, const RowCodesSpec &spec) {
  return llvm::createStringError("kernel " + spec.name() + ": only the CPU has it");
}

} // namespace xfmr::codegen
