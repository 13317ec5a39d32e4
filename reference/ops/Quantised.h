// Quantised weights by the definitions of their forms: stored blocks of GGUF and packed rows, one element at a time, in double.
#pragma once
#include "reference/Evaluation.h"
#include "runtime/artifact/Safetensors.h"

namespace xfmr::reference {

/// All elements of a stored tensor of the scheme: exact, then rounded once to f32, as the dialect says of such values.
Status readQuantised(const QuantScheme &scheme, const std::vector<int64_t> &shape, const TensorView &view, Tensor &out);

/// The numbers that the codes of the rounded rows stand for.
Status evaluate(WeightQuantizeOp op, Evaluation &evaluation);

} // namespace xfmr::reference
