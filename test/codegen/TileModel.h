// The tile instructions of AMX in plain C++, as Intel's manual defines them, for machines that have none: kernels in the llvm dialect
// call these functions where they had intrinsics. A shape that the instruction would refuse aborts.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <cstdint>

namespace xfmr::codegen::cpu::test {

// Replaces intrinsics of tiles by calls at the addresses of this process; returns how many.
unsigned callTileModel(mlir::ModuleOp kernels);

// How many tile products a thread has computed so far.
uint64_t tileProducts();

} // namespace xfmr::codegen::cpu::test
