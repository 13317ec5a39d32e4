// Bulk conversion between stored elements and f32. Source bytes may be unaligned.
#pragma once
#include "runtime/artifact/DType.h"
#include <cstddef>

namespace xfmr {

/// True for the types that weights may have: F32, F16, BF16.
bool isWeightDType(DType dtype);

/// Reads `count` elements of F32, F16 or BF16. Exact.
void convertToF32(DType dtype, const uint8_t *bytes, size_t count, float *out);

/// Writes `count` elements of F32, F16 or BF16, rounded to nearest even.
void convertFromF32(DType dtype, const float *values, size_t count, uint8_t *out);

/// Rounds values in place to what `dtype` can hold.
void roundTo(DType dtype, float *values, size_t count);

} // namespace xfmr
