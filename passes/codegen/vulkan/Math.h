// Functions SPIR-V lacks or whose accuracy Vulkan leaves to the driver, from arithmetic alone.
// Arguments are f32 scalars or vectors. The test of this folder compares each with the C library.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen {

Value exp(Value x);     // relative error below 2e-7; 0 below -87.3, saturates above 88.3
Value tanh(Value x);    // absolute error below 2e-7
Value erf(Value x);     // absolute error below 4e-7
Value sigmoid(Value x); // 1 / (1 + exp(-x))
Value multiplyAdd(Value a, double b, double c); // a * b + c, rounded once
Value activation(Activation kind, Value x);
Value softcap(Value x, Value cap); // cap * tanh(x / cap)

} // namespace xfmr::codegen
