// From the variants of a kernel to SPIR-V, outside of a pass pipeline.
#include "passes/codegen/vulkan/Kernels.h"
#include "passes/codegen/vulkan/ToSpirv.h"
#include <algorithm>
#include <iterator>

namespace xfmr::codegen {

llvm::Expected<BuiltKernel> preferring(llvm::Expected<BuiltKernel> kernel, llvm::Expected<BuiltKernel> tuned) {
  if (!kernel) {
    llvm::consumeError(tuned.takeError());
    return kernel;
  }
  if (!tuned)
    return tuned;
  kernel->variants.insert(kernel->variants.begin(), std::make_move_iterator(tuned->variants.begin()),
                          std::make_move_iterator(tuned->variants.end()));
  return kernel;
}

llvm::Expected<CompiledKernel> compile(BuiltKernel kernel) {
  CompiledKernel result{kernel.name, kernel.variants.back().workgroupSize, kernel.bindings, 0, {}};
  for (BuiltVariant &variant : kernel.variants) {
    auto words = toSpirv(*variant.module);
    if (!words)
      return llvm::createStringError("kernel " + kernel.name + ": " + llvm::toString(words.takeError()));
    result.sharedBytes = std::max(result.sharedBytes, variant.sharedBytes);
    result.variants.push_back({kEntryPoint, variant.features, std::move(*words)});
  }
  return result;
}

} // namespace xfmr::codegen
