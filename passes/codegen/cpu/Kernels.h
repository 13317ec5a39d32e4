// The CPU side of the contracts of passes/codegen/X.h: for each family a function that builds the kernel of one
// dispatch, every number of it a constant. What a tile is says Choice.h.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/codegen/Choice.h"
#include "passes/codegen/cpu/Level.h"

namespace xfmr::codegen::cpu {

using KernelModule = llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>;

// build: a module that holds the function NAME.LEVEL (KernelBuilder.h), of a spec and params without fault().
#define XFMR_CPU_KERNEL(Family)                                                                    \
  KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const Family##Spec &spec,   \
                     const Family##Params &params, Level level);                                   \
  inline uint64_t tiles(const Family##Spec &spec, const Family##Params &params) {                  \
    return tileOf(spec, params).count;                                                             \
  }
XFMR_KERNELS(XFMR_CPU_KERNEL)
#undef XFMR_CPU_KERNEL

// The level whose code a kernel runs at `level`. At a level that adds dot products only matrix products that go by dots
// (Product.h) or by codes (RowCodes.h) have code of their own, and what makes codes and pairs; at one that adds tiles, of those
// products the ones of many rows, and of bf16 all, whose sums add up in the order of tiles.
enum class OwnCode : uint8_t { None, Dots, Tiles };
Level codeLevel(Level level, OwnCode own);
bool goesByDots(WeightType weight, uint32_t columns, Level level);
bool goesByCodes(bool codes, Level level);
bool goesByPairs(bool pairs, Level level); // rows of a product by dots of bf16 (RowPairs.h)
template <class Spec, class Params> Level codeLevel(const Spec &spec, const Params &params, Level level) {
  constexpr bool manyRows = std::is_same_v<Spec, GemmSpec> || std::is_same_v<Spec, MoeGemmSpec>;
  if constexpr (manyRows || std::is_same_v<Spec, GemvSpec> || std::is_same_v<Spec, MoeGemvSpec>) {
    if (goesByDots(spec.weight, params.k, level))
      return codeLevel(level, OwnCode::Tiles);
    return codeLevel(level, !goesByCodes(spec.codes, level) ? OwnCode::None
                            : manyRows                      ? OwnCode::Tiles
                                                            : OwnCode::Dots);
  } else {
    constexpr bool makesRows = std::is_same_v<Spec, RowCodesSpec> || std::is_same_v<Spec, RowPairsSpec>;
    return codeLevel(level, makesRows ? OwnCode::Dots : OwnCode::None);
  }
}

} // namespace xfmr::codegen::cpu
