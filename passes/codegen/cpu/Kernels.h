// The CPU side of the contracts of passes/codegen/X.h: for each family a function that builds the kernel of one
// dispatch, every number of it a constant, and the number of tiles the runtime hands out to threads. Tiles are the same
// at every level. Dispatches that take their grid from a buffer (moe_gemm) have as many tiles as that grid says.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/codegen/Attention.h"
#include "passes/codegen/Elementwise.h"
#include "passes/codegen/Embedding.h"
#include "passes/codegen/Gemm.h"
#include "passes/codegen/Gemv.h"
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/MoeGemm.h"
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/MoePlan.h"
#include "passes/codegen/MoeRouter.h"
#include "passes/codegen/Norm.h"
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/Sample.h"
#include "passes/codegen/cpu/Level.h"

namespace xfmr::codegen::cpu {

using KernelModule = llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>;

// build: a module that holds the function NAME.LEVEL (KernelBuilder.h).
#define XFMR_CPU_KERNEL(Family)                                                                    \
  KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const Family##Spec &spec,   \
                     const Family##Params &params, Level level);                                   \
  uint64_t tiles(const Family##Spec &spec, const Family##Params &params);
XFMR_CPU_KERNEL(AttentionPrefill)
XFMR_CPU_KERNEL(AttentionDecode)
XFMR_CPU_KERNEL(AttentionCombine)
XFMR_CPU_KERNEL(Elementwise)
XFMR_CPU_KERNEL(Embedding)
XFMR_CPU_KERNEL(Gemm)
XFMR_CPU_KERNEL(Gemv)
XFMR_CPU_KERNEL(MoeCombine)
XFMR_CPU_KERNEL(MoeGemm)
XFMR_CPU_KERNEL(MoeGemv)
XFMR_CPU_KERNEL(MoePlan)
XFMR_CPU_KERNEL(MoeRouter)
XFMR_CPU_KERNEL(Norm)
XFMR_CPU_KERNEL(RopeCache)
XFMR_CPU_KERNEL(Sample)
#undef XFMR_CPU_KERNEL

// The extent of a grouped product's grid in x on the CPU: what the plan needs (MoePlanParams::xGroups0 and 1).
uint32_t xTiles(const MoeGemmSpec &spec, const MoeGemmParams &params);

} // namespace xfmr::codegen::cpu
