// The ways to sample: all in one workgroup (Sample.cpp), or in slices of the vocabulary (SampleSlices.cpp).
#pragma once
#include "passes/codegen/Sample.h"
#include "passes/codegen/vulkan/Kernels.h"

namespace xfmr::codegen::sample {

// Invocations of a workgroup that has a slice: of the portable variant, and of that for GPUs.
constexpr uint32_t kSlice = 64, kWideSlice = 256;

// Of SamplePart::Best too: then its first workgroup does the whole, and nothing is left for the parts behind it.
llvm::Expected<BuiltKernel> buildWhole(mlir::MLIRContext &context, const SampleSpec &spec, std::vector<std::string> features);
// A part, in workgroups of so many invocations: 64 or a multiple; the results are the same bits.
llvm::Expected<BuiltKernel> buildSlices(mlir::MLIRContext &context, const SampleSpec &spec, std::vector<std::string> features,
                                        uint32_t threads);

} // namespace xfmr::codegen::sample
