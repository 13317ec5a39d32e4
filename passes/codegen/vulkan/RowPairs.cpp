// Vulkan multiplies floats: nothing makes pairs of rows there.
#include "passes/codegen/RowPairs.h"
#include "passes/codegen/vulkan/Kernels.h"

namespace xfmr::codegen {

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &, const RowPairsSpec &spec) {
  return llvm::createStringError("kernel " + spec.name() + ": only the CPU has it");
}

} // namespace xfmr::codegen
