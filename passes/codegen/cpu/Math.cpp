// Formulas of kernels; see Math.h.
#include "passes/codegen/cpu/Math.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

Value sigmoid(Value x) {
  return 1.0 / (exp(-x) + 1.0);
}

Value activation(Activation kind, Value x) {
  switch (kind) {
  case Activation::None:
    return x;
  case Activation::Silu:
    return x / (exp(-x) + 1.0);
  case Activation::Gelu:
    return x * 0.5 * (erf(x * 0.70710678118654752) + 1.0);
  case Activation::GeluTanh: {
    Value inner = x * 0.7978845608028654 * (x * x * 0.044715 + 1.0);
    return x * sigmoid(inner * 2.0); // (1 + tanh(z)) / 2 = sigmoid(2 z)
  }
  case Activation::Relu:
    return max(x, constantLike(x, 0.0));
  case Activation::Sigmoid:
    return sigmoid(x);
  case Activation::Tanh:
    return tanh(x);
  }
  return x;
}

Value softcap(Value x, float cap) {
  return tanh(x / cap) * cap;
}

} // namespace xfmr::codegen::cpu
