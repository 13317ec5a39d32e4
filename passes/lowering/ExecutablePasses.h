// Declarations of the passes on executables and programs (ExecutablePasses.td). They nest two levels deep, which MLIR's
// own registration cannot: passes/PassRegistry.cpp registers them.
#pragma once
#include "dialect/Xfmr.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"

namespace xfmr {
#define GEN_PASS_DECL
#include "passes/lowering/ExecutablePasses.h.inc"
} // namespace xfmr
