// See Formulas.h.
#include "passes/witness/Formulas.h"
#include "reference/ops/Activation.h"
#include <algorithm>
#include <cmath>

using namespace xfmr;

double witness::activation(codegen::Activation kind, double x) {
  return kind == codegen::Activation::None ? x
                                           : reference::activation(*symbolizeActivationKind(codegen::word(kind)), x);
}

reference::Tensor witness::finish(const Tensor &sums, const codegen::Epilogue &epilogue,
                                  const codegen::EpilogueParams &params, const Operands &operands) {
  Tensor y({sums.rows(), epilogue.glu ? sums.columns() / 2 : sums.columns()});
  for (int64_t row = 0; row < y.rows(); ++row)
    for (int64_t j = 0; j < y.columns(); ++j) {
      auto sum = [&](int64_t at) { return sums.row(row)[at] + (operands.bias ? operands.bias->values[at] : 0); };
      double v = epilogue.glu ? activation(epilogue.activation, sum(2 * j)) * sum(2 * j + 1)
                              : activation(epilogue.activation, sum(j));
      if (epilogue.scale)
        v *= params.scale;
      if (epilogue.softcap)
        v = params.softcap * std::tanh(v / params.softcap);
      if (operands.residual)
        v += operands.residual->row(row)[j];
      y.row(row)[j] = v;
    }
  return y;
}

std::vector<double> witness::finish(std::vector<double> sums, const codegen::MoeEpilogue &epilogue, const double *bias,
                                    double alpha, double limit) {
  for (size_t i = 0; bias && i < sums.size(); ++i)
    sums[i] += bias[i];
  if (!epilogue.glu) {
    for (double &v : sums)
      v = activation(epilogue.activation, v);
    return sums;
  }
  std::vector<double> y(sums.size() / 2);
  for (size_t j = 0; j < y.size(); ++j) {
    const double gate = sums[2 * j], up = sums[2 * j + 1];
    if (epilogue.clamped) {
      const double g = std::min(gate, limit), u = std::clamp(up, -limit, limit);
      y[j] = (u + 1) * g * reference::activation(ActivationKind::sigmoid, alpha * g);
    } else {
      y[j] = activation(epilogue.activation, gate) * up;
    }
  }
  return y;
}

void witness::addTerms(Tensor &y, const codegen::MoeTerms &terms, const Tensor &shared, const Tensor &gate,
                       const Tensor &residual) {
  for (int64_t row = 0; row < y.rows(); ++row)
    for (int64_t i = 0; i < y.columns(); ++i) {
      if (terms.shared)
        y.row(row)[i] += shared.row(row)[i] *
                         (terms.sharedGate ? reference::activation(ActivationKind::sigmoid, gate.row(row)[0]) : 1);
      if (terms.residual)
        y.row(row)[i] += residual.row(row)[i];
    }
}
