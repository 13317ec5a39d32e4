// Variants of products that read codes, in files of their own beside those of floats.
#pragma once
#include "passes/codegen/vulkan/Kernels.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr::codegen {

// GemvCodes.cpp, MoeGemvCodes.cpp
llvm::Expected<BuiltKernel> buildCodes(mlir::MLIRContext &context, const GemvSpec &spec);
llvm::Expected<BuiltKernel> buildCodes(mlir::MLIRContext &context, const MoeGemvSpec &spec);

// Those of CodeRow.h: for software drivers, for GPUs, portable.
llvm::Expected<BuiltKernel> variantsOfCodes(llvm::function_ref<llvm::Expected<BuiltKernel>(uint32_t lanes)> build);

} // namespace xfmr::codegen
