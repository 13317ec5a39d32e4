// Formulas of the contracts that no op of the dialect has alone: what a product does with its sums.
#pragma once
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/MoeExpert.h"
#include "reference/Tensor.h"
#include <optional>

namespace xfmr::witness {

using reference::Tensor;

/// The witness' function; None is x.
double activation(codegen::Activation kind, double x);

struct Operands {
  std::optional<Tensor> bias, residual; // [n]; as the result
};

/// passes/codegen/Kernel.h, Epilogue.
Tensor finish(const Tensor &sums, const codegen::Epilogue &epilogue, const codegen::EpilogueParams &params,
              const Operands &operands);

/// passes/codegen/MoeExpert.h: of one row's sums, with that expert's bias or null.
std::vector<double> finish(std::vector<double> sums, const codegen::MoeEpilogue &epilogue, const double *bias,
                           double alpha, double limit);

/// passes/codegen/MoeCombine.h: what joins the routed sum; tensors that `terms` does not have are not looked at.
void addTerms(Tensor &y, const codegen::MoeTerms &terms, const Tensor &shared, const Tensor &gate,
              const Tensor &residual);

} // namespace xfmr::witness
