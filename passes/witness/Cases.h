// Of each kernel of Vulkan, small cases on awkward shapes with what the witness (reference/) says of them. They go into the
// artifact, and `xfmr-run --self-test` asks a device for the same: odd numbers of rows and columns, strides and offsets that are
// not the width, tiles that end early. Inputs are multiples of 1/128, so that products are exact and rounding to f16 is none.
#pragma once
#include "passes/codegen/AllKernels.h"
#include "runtime/artifact/SelfTest_generated.h"

namespace xfmr::witness {

using Cases = std::vector<selftest::CaseT>;

#define XFMR_CASES(Name) Cases casesOf(const codegen::Name##Spec &spec);
XFMR_KERNELS(XFMR_CASES)
#undef XFMR_CASES

} // namespace xfmr::witness
