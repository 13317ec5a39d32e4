// See PackedRows.h.
#include "weights/PackedRows.h"
#include "weights/Conversion.h"
#include "weights/QuantRows.h"
#include <cmath>
#include <cstring>

namespace xfmr {
namespace {

constexpr int kAwqNibble[8] = {0, 4, 1, 5, 2, 6, 3, 7}; // of a word, by the row

float number(const TensorView &tensor, int64_t index) {
  float value = 0;
  if (tensor.dtype == DType::f8_e8m0)
    return scaleFromBytes(QuantScale::e8m0, tensor.data + index);
  convertToF32(tensor.dtype, tensor.data + index * dtypeBits(tensor.dtype) / 8, 1, &value);
  return value;
}

// E4M3 with NaN at 127 and 255, no infinities.
float e4m3(uint8_t byte) {
  const int exponent = byte >> 3 & 15, fraction = byte & 7;
  const float magnitude = (byte & 127) == 127 ? NAN
                          : exponent == 0     ? std::ldexp(static_cast<float>(fraction), -9)
                                              : std::ldexp(static_cast<float>(8 + fraction), exponent - 10);
  return byte & 128 ? -magnitude : magnitude;
}

int codeOf(const PackedTensor &t, int64_t row, int64_t column) {
  const int64_t rows = t.view.shape[t.view.shape.size() - 2], columns = t.view.shape.back();
  const int64_t bit = column * t.bits;
  const uint32_t mask = (1u << t.bits) - 1;
  switch (t.packing) {
  case Packing::gptq: return wordOf(*t.codes, bit / 32 * rows + row) >> bit % 32 & mask;
  case Packing::awq: return wordOf(*t.codes, column * (rows / 8) + row / 8) >> 4 * kAwqNibble[row % 8] & mask;
  case Packing::words: return wordOf(*t.codes, row * ((columns * t.bits + 31) / 32) + bit / 32) >> bit % 32 & mask;
  case Packing::bytes: return static_cast<int8_t>(t.codes->data[row * columns + column]) + 128;
  case Packing::mxfp4: return t.codes->data[(row * columns + column) / 2] >> column % 2 * 4 & 15;
  case Packing::nf4: {
    const int64_t at = row * columns + column;
    return t.codes->data[at / 2] >> (1 - at % 2) * 4 & 15;
  }
  case Packing::f8: break;
  }
  return 0;
}

float scaleOf(const PackedTensor &t, int64_t row, int64_t group) {
  const int64_t rows = t.view.shape[t.view.shape.size() - 2], groups = groupsOf(t);
  switch (t.packing) {
  case Packing::gptq:
  case Packing::awq: return number(*t.scales, group * rows + row);
  case Packing::words:
  case Packing::bytes:
    return productOf(t.scales->shape) == 1 ? number(*t.scales, 0) : number(*t.scales, row * groups + group);
  case Packing::f8:
    if (productOf(t.scales->shape) == 1)
      return number(*t.scales, 0);
    return number(*t.scales, (t.blockRows ? row / t.blockRows : 0) * groups + group);
  case Packing::mxfp4: return scaleFromBytes(QuantScale::e8m0, t.scales->data + row * groups + group);
  case Packing::nf4: {
    const int64_t block = row * groups + group;
    if (!t.outerScales)
      return number(*t.scales, block);
    // In f32, one operation after the other, as the loader does.
    const float inner = number(*t.outerMap, t.scales->data[block]) * number(*t.outerScales, block / t.outerBlock);
    return inner + static_cast<float>(t.outerOffset);
  }
  }
  return 0;
}

} // namespace

uint32_t wordOf(const TensorView &tensor, int64_t index) {
  uint32_t value;
  std::memcpy(&value, tensor.data + 4 * index, 4);
  return value;
}

int64_t productOf(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

int64_t groupOf(const PackedTensor &t, int64_t column) {
  return t.group ? column / t.group : 0;
}

int64_t groupsOf(const PackedTensor &t) {
  return t.group ? (t.view.shape.back() + t.group - 1) / t.group : 1;
}

int zeroOf(const PackedTensor &t, int64_t row, int64_t group) {
  const int64_t rows = t.view.shape[t.view.shape.size() - 2], bit = row * t.bits;
  const uint32_t mask = (1u << t.bits) - 1;
  switch (t.packing) {
  case Packing::gptq:
    return static_cast<int>(wordOf(*t.zeros, group * (rows * t.bits / 32) + bit / 32) >> bit % 32 & mask) +
           t.zeroOffset;
  case Packing::awq: return wordOf(*t.zeros, group * (rows / 8) + row / 8) >> 4 * kAwqNibble[row % 8] & mask;
  default: return wordOf(*t.zeros, bit / 32 * groupsOf(t) + group) >> bit % 32 & mask;
  }
}

std::optional<QuantScheme> packedScheme(const PackedTensor &tensor) {
  QuantScheme scheme;
  scheme.group = tensor.group;
  auto scaleType = [&] {
    return tensor.zeros || tensor.scales->dtype == DType::f32 ? QuantScale::f32
           : tensor.scales->dtype == DType::bf16              ? QuantScale::bf16
                                                              : QuantScale::f16;
  };
  switch (tensor.packing) {
  case Packing::f8: return std::nullopt;
  case Packing::mxfp4: return QuantScheme{QuantCode::e2m1, 32, QuantScale::e8m0};
  case Packing::nf4: return QuantScheme{QuantCode::nf4, tensor.group, QuantScale::f32};
  default: break;
  }
  scheme.code = tensor.bits == 8 ? QuantCode::int8 : tensor.bits == 2 ? QuantCode::int2 : QuantCode::int4;
  scheme.scale = scaleType();
  scheme.minimum = tensor.zeros != nullptr;
  return scheme;
}

void readPacked(const PackedTensor &t, WeightPlane plane, int64_t row, int64_t begin, int64_t end, float *out) {
  switch (plane) {
  case WeightPlane::values:
    if (t.packing == Packing::f8) {
      for (int64_t c = begin; c < end; ++c)
        *out++ = e4m3(t.codes->data[row * t.view.shape.back() + c]) * scaleOf(t, row, groupOf(t, c));
      return;
    }
    return quantValues(
        *packedScheme(t), t.view.shape.back(), begin, end,
        [&](WeightPlane which, int64_t first, int64_t last, float *to) { readPacked(t, which, row, first, last, to); },
        out);
  case WeightPlane::codes:
    for (int64_t c = begin; c < end; ++c)
      *out++ = static_cast<float>(codeOf(t, row, c));
    return;
  case WeightPlane::scales:
    for (int64_t g = begin; g < end; ++g)
      *out++ = scaleOf(t, row, g);
    return;
  case WeightPlane::mins: // of 11 bits times at most 9: exact
    for (int64_t g = begin; g < end; ++g)
      *out++ = -scaleOf(t, row, g) * static_cast<float>(zeroOf(t, row, g));
    return;
  default: return;
  }
}

} // namespace xfmr
