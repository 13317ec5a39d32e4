// The attributes of kernels. Constraint numbers are those of Kernels.td; the contracts in passes/codegen check them.
#include "dialect/Xfmr.h"

#include "dialect/kernels/Interfaces.cpp.inc"

std::string xfmr::otherFamily(mlir::Attribute params, mlir::Attribute kernel) {
  auto given = llvm::dyn_cast<KernelParamsAttrInterface>(params);
  return "takes params of " + llvm::cast<KernelAttrInterface>(kernel).getFamily().str() + ", got those of " +
         (given ? given.getFamily().str() : "no kernel");
}
