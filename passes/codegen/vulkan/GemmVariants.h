// What the variants of gemm share: push words, tile and bindings' element types, so that all take
// the same dispatch. For Gemm*.cpp only; the contract is Gemm.h.
#pragma once
#include "passes/codegen/vulkan/EpilogueBuilder.h"
#include "passes/codegen/Gemm.h"
#include "passes/codegen/vulkan/MatrixTile.h"

namespace xfmr::codegen::gemm {

constexpr uint32_t kTile = kGemmTile;

enum Word : uint32_t { kN, kChunks, kXStride, kXOffset, kOutStride, kOutOffset, kEpilogue };
static_assert(kEpilogue + EpilogueBuilder::kWords <= 16);

std::vector<Element> elements(const GemmSpec &spec);

// GemmSubgroup8.cpp
llvm::Expected<BuiltKernel> buildSubgroup8(mlir::MLIRContext &context, const GemmSpec &spec);

// GemmMatrix.cpp; of f16 weights.
llvm::Expected<BuiltKernel> buildMatrix(mlir::MLIRContext &context, const GemmSpec &spec, MatrixUnit unit);

} // namespace xfmr::codegen::gemm
