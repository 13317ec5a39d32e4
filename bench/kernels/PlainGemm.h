// The shader a GEMM is measured against: one invocation an output, no workgroup memory, no
// blocking. Same bindings, push words and operands as gemm with f32 weights and no epilogue.
#pragma once
#include "passes/codegen/vulkan/Kernels.h"

namespace xfmr::codegen::bench {

llvm::Expected<CompiledKernel> compilePlainGemm(mlir::MLIRContext &context);
std::array<uint32_t, 3> plainGemmGrid(const GemmParams &params);

} // namespace xfmr::codegen::bench
