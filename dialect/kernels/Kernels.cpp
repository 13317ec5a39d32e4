// The attributes of kernels. Constraint numbers are those of Kernels.td; the contracts in passes/codegen check them.
#include "dialect/Xfmr.h"

#include "dialect/kernels/Interfaces.cpp.inc"

std::string xfmr::otherFamily(mlir::Attribute params, mlir::Attribute kernel) {
  auto given = llvm::dyn_cast<KernelParamsAttrInterface>(params);
  return "takes params of " + llvm::cast<KernelAttrInterface>(kernel).getFamily().str() + ", got those of " +
         (given ? given.getFamily().str() : "no kernel");
}

static_assert(xfmr::getMaxEnumValForActivationKind() + 2 == std::size(xfmr::codegen::Words<xfmr::codegen::Activation>::all),
              "ActivationKind in dialect/Enums.td and passes/codegen/Activations.def must list the same functions");

xfmr::codegen::Activation xfmr::kernelActivation(ActivationKind kind) {
  switch (kind) {
#define XFMR_ACTIVATION(Name, word, keepsZero, formula)                                                                \
  case ActivationKind::word:                                                                                           \
    return codegen::Activation::Name;
#include "passes/codegen/Activations.def"
#undef XFMR_ACTIVATION
  }
  llvm_unreachable("the two lists are of one length, and each case names one of the dialect's");
}
