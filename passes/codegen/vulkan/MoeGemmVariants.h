// What the variants of moe_gemm share: push words and bindings' element types. For MoeGemm*.cpp only; the
// contract is MoeGemm.h.
#pragma once
#include "passes/codegen/MoeGemm.h"
#include "passes/codegen/vulkan/MatrixTile.h"

namespace xfmr::codegen::moe_gemm {

constexpr uint32_t kTileN = kMoeGemmTile;

enum Word : uint32_t {
  kN,
  kChunks,
  kTopK,
  kXStride,
  kXOffset,
  kOutStride,
  kOutOffset,
  kTilesAt,
  kSortedAt,
  kBiasQuads,
  kAlpha,
  kLimit,
  kGridAt,
  kFirstExpert
};

std::vector<Element> elements(const MoeGemmSpec &spec);

// MoeGemmSubgroup8.cpp
llvm::Expected<BuiltKernel> buildSubgroup8(mlir::MLIRContext &context, const MoeGemmSpec &spec);

// MoeGemmMatrix.cpp; of f16 weights.
llvm::Expected<BuiltKernel> buildMatrix(mlir::MLIRContext &context, const MoeGemmSpec &spec, MatrixUnit unit);

} // namespace xfmr::codegen::moe_gemm
