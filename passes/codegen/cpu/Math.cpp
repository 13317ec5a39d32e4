// Formulas of kernels; see Math.h.
#include "passes/codegen/cpu/Math.h"
#include "passes/codegen/builder/ActivationFormula.h"
#include "passes/codegen/cpu/KernelBuilder.h"

namespace xfmr::codegen::cpu {

Value sigmoid(Value x) {
  return 1.0 / (exp(-x) + 1.0);
}

Value multiplyAdd(Value a, double b, double c) { return a * b + c; }

Value activation(Activation kind, Value x) { return activationFormula(kind, x); }

Value softcap(Value x, float cap) {
  return tanh(x / cap) * cap;
}

} // namespace xfmr::codegen::cpu
