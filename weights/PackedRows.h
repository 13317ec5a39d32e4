// Codes, scales and zeros of a quantised matrix of another program, read where they lie (runtime/artifact/PackedTensor.h).
// Sources: the loaders of AutoGPTQ, AutoAWQ, compressed-tensors, transformers (fp8, mxfp4) and bitsandbytes.
#pragma once
#include "dialect/Quantised.h"
#include "runtime/artifact/PackedTensor.h"

namespace xfmr {

/// The type of its elements; nothing where it has numbers, in f32.
std::optional<QuantScheme> packedScheme(const PackedTensor &tensor);

/// Columns begin … end - 1 of a plane, or of the values, of a row (of all matrices of a stack, one after the other).
void readPacked(const PackedTensor &tensor, WeightPlane plane, int64_t row, int64_t begin, int64_t end, float *out);

/// Groups of columns that share a scale, and the one of a column.
int64_t groupsOf(const PackedTensor &tensor);
int64_t groupOf(const PackedTensor &tensor, int64_t column);
/// The code that stands for 0. Only where the tensor has zeros.
int zeroOf(const PackedTensor &tensor, int64_t row, int64_t group);

/// 32 bits of a tensor.
uint32_t wordOf(const TensorView &tensor, int64_t index);
int64_t productOf(const std::vector<int64_t> &shape);

} // namespace xfmr
