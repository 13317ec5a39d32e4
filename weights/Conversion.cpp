// See Conversion.h.
#include "weights/Conversion.h"
#include <cassert>
#include <cstring>

namespace xfmr {

bool isWeightDType(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
}

static uint16_t load16(const uint8_t *bytes) {
  uint16_t bits;
  std::memcpy(&bits, bytes, 2);
  return bits;
}

void convertToF32(DType dtype, const uint8_t *bytes, size_t count, float *out) {
  switch (dtype) {
  case DType::f32:
    std::memcpy(out, bytes, 4 * count);
    return;
  case DType::f16:
    for (size_t i = 0; i < count; ++i)
      out[i] = f32FromF16(load16(bytes + 2 * i));
    return;
  case DType::bf16:
    for (size_t i = 0; i < count; ++i)
      out[i] = f32FromBF16(load16(bytes + 2 * i));
    return;
  default:
    assert(false && "callers check isWeightDType");
  }
}

void convertFromF32(DType dtype, const float *values, size_t count, uint8_t *out) {
  if (dtype == DType::f32) {
    std::memcpy(out, values, 4 * count);
    return;
  }
  assert(isWeightDType(dtype) && "callers check isWeightDType");
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits = dtype == DType::f16 ? f16FromF32(values[i]) : bf16FromF32(values[i]);
    std::memcpy(out + 2 * i, &bits, 2);
  }
}

void roundTo(DType dtype, float *values, size_t count) {
  if (dtype == DType::f16)
    for (size_t i = 0; i < count; ++i)
      values[i] = f32FromF16(f16FromF32(values[i]));
  else if (dtype == DType::bf16)
    for (size_t i = 0; i < count; ++i)
      values[i] = f32FromBF16(bf16FromF32(values[i]));
}

} // namespace xfmr
