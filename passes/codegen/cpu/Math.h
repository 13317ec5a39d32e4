// Functions of kernels made of the operations of Value.h, on scalars and vectors. exp, tanh and erf become polynomials
// with relative errors below 2^-22 (Lower.h).
#pragma once
#include "passes/codegen/cpu/Value.h"
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen::cpu {

Value sigmoid(Value x);
Value multiplyAdd(Value a, double b, double c); // a * b + c, rounded twice, so that levels agree
Value activation(Activation kind, Value x);
Value softcap(Value x, float cap); // cap * tanh(x / cap)

} // namespace xfmr::codegen::cpu
