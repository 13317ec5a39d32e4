// The activation functions, the same for every target: V is a target's value, or the calibration's lanes of floats. exp, erf,
// tanh, sigmoid and multiplyAdd (a b + c as the target rounds it) are V's own.
#pragma once
#include "passes/codegen/Kernel.h"

namespace xfmr::codegen {

template <class V> V activationFormula(Activation kind, V x) {
  switch (kind) {
  case Activation::None:
    return x;
#define XFMR_ACTIVATION(Name, word, keepsZero, formula)                                                                \
  case Activation::Name:                                                                                               \
    return formula;
#include "passes/codegen/Activations.def"
#undef XFMR_ACTIVATION
  }
  return x;
}

} // namespace xfmr::codegen
