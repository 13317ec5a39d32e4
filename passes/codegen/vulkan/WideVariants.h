// Variants of kernels that are one workgroup, with more invocations than the portable ones: for GPUs, where so few loads under way
// at once leave most of the bandwidth unused. The grid stays what it is.
#pragma once
#include "passes/codegen/MoeRouter.h"
#include "passes/codegen/Sample.h"
#include "passes/codegen/vulkan/Kernels.h"

namespace xfmr::codegen {

// What such a variant requires beside the size of its workgroup; tests leave it out.
constexpr const char *kGpu = "gpu";

// MoeRouter.cpp, of one row a workgroup, and Sample.cpp.
llvm::Expected<BuiltKernel> buildWide(mlir::MLIRContext &context, const MoeRouterSpec &spec,
                                      std::vector<std::string> features);
llvm::Expected<BuiltKernel> buildWide(mlir::MLIRContext &context, const SampleSpec &spec,
                                      std::vector<std::string> features);

} // namespace xfmr::codegen
