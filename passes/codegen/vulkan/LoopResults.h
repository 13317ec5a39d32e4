// MLIR's conversion carries what a loop yields twice: in arguments of its header, and in a variable that every round stores
// and that is read behind the loop. The second lacks the value from before the loop, so that a driver's compiler cannot see
// that both are the same and copies all of them in every round, matrices of sums too.
#pragma once
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

namespace xfmr::codegen {

// Stores in each such variable, before its loop, what the loop begins with.
void startLoopResults(mlir::spirv::ModuleOp module);

} // namespace xfmr::codegen
