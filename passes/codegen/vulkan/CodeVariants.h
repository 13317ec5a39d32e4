// Variants of products that read codes, in files of their own beside those of floats.
#pragma once
#include "passes/codegen/vulkan/CodeRow.h"
#include "passes/codegen/vulkan/Kernels.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr::codegen {

// GemvCodes.cpp, MoeGemvCodes.cpp
llvm::Expected<BuiltKernel> buildCodes(mlir::MLIRContext &context, const GemvSpec &spec);
llvm::Expected<BuiltKernel> buildCodes(mlir::MLIRContext &context, const MoeGemvSpec &spec);

// Those of CodeRow.h: for software drivers, for GPUs, portable. `elements` are those of the bindings.
template <class Spec>
llvm::Expected<BuiltKernel> variantsOfCodes(mlir::MLIRContext &context, const Spec &spec,
                                            const std::vector<Element> &elements,
                                            llvm::function_ref<void(KernelBuilder &k, uint32_t lanes)> build) {
  if (llvm::Error error = needsRowsOfFloats(spec.name(), spec.codes))
    return error;
  const auto variant = [&](uint32_t lanes) {
    KernelBuilder k(context, spec.name(), spec.bindings(), elements, {CodeRow::invocations(lanes), 1, 1});
    build(k, lanes);
    return k.finish(CodeRow::features(lanes));
  };
  return preferring(preferring(variant(8), variant(32)), variant(0));
}

} // namespace xfmr::codegen
