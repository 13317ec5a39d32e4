// Kernels as KernelBuilder makes them (func, vector, memref, arith, math, scf) -> the llvm dialect: functions
// `void NAME.LEVEL(void *const *buffers, int64_t lo, int64_t hi)` that call nothing. Exponentials and their like become
// polynomials inline; what a level has no instruction for (fused multiply-add and f16 conversion on v2) becomes
// arithmetic that it has.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "passes/codegen/cpu/Level.h"
#include "llvm/Support/Error.h"

namespace mlir {
class OpPassManager;
}

namespace xfmr::codegen::cpu {

// What a context needs for building kernels, lowering them and compiling them.
void registerKernelDialects(mlir::DialectRegistry &registry);

// The passes, on a module of kernels of one level.
void addLowering(mlir::OpPassManager &passes, Level level);

// Runs them. On failure the error carries MLIR's diagnostics.
llvm::Error lowerToLLVM(mlir::ModuleOp module, Level level);

} // namespace xfmr::codegen::cpu
