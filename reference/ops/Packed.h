// Matrices of quantised checkpoints by the definitions of their files, one element at a time, in double.
#pragma once
#include "reference/Tensor.h"
#include "runtime/artifact/PackedTensor.h"

namespace xfmr::reference {

/// All elements of the matrix, rounded once to f32.
Status readPacked(const PackedTensor &packed, Tensor &out);

} // namespace xfmr::reference
