// docs/Formats.md lists the bits; here each field is read as it is written there.
#include "reference/ops/Packed.h"
#include "dialect/Quantised.h"
#include "reference/ops/Stored.h"
#include <cmath>
#include <cstring>

namespace xfmr::reference {
namespace {

// `count` bits from bit `from` on of a tensor of little-endian words that begins at word `first`.
int field(const TensorView &tensor, int64_t first, int64_t from, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const int64_t bit = 32 * first + from + i;
    value |= (tensor.data[bit / 8] >> (bit % 8) & 1) << i;
  }
  return value;
}

double plain(const TensorView &tensor, int64_t index) {
  if (tensor.dtype == DType::f32) {
    float value;
    std::memcpy(&value, tensor.data + 4 * index, 4);
    return value;
  }
  const auto bits = static_cast<uint16_t>(tensor.data[2 * index] | tensor.data[2 * index + 1] << 8);
  return tensor.dtype == DType::f16 ? fromF16(bits) : fromBF16(bits);
}

double fromE4m3(int byte) {
  const int exponent = byte / 8 % 16, fraction = byte % 8;
  if (byte % 128 == 127)
    return NAN;
  const double magnitude =
      exponent ? (1 + fraction / 8.0) * std::pow(2.0, exponent - 7) : fraction / 8.0 * std::pow(2.0, -6);
  return byte < 128 ? magnitude : -magnitude;
}

constexpr double kE2m1[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
constexpr int kAwqOrder[8] = {0, 2, 4, 6, 1, 3, 5, 7}; // the output that nibble n holds

int awq(const TensorView &tensor, int64_t row, int64_t output, int64_t outputs) {
  for (int n = 0; n < 8; ++n)
    if (kAwqOrder[n] == output % 8)
      return field(tensor, row * (outputs / 8) + output / 8, 4 * n, 4);
  return 0;
}

double element(const PackedTensor &p, int64_t o, int64_t i, int64_t out, int64_t in) {
  const int64_t group = p.group ? p.group : in, groups = (in + group - 1) / group, g = i / group;
  const int64_t each = 32 / p.bits;
  const double half = p.bits == 8 ? 128 : p.bits == 4 ? 8 : 2;
  switch (p.packing) {
  case Packing::gptq: {
    const double zero =
        p.zeros ? field(*p.zeros, g * (out / each) + o / each, o % each * p.bits, p.bits) + p.zeroOffset : half;
    return plain(*p.scales, g * out + o) * (field(*p.codes, i / each * out + o, i % each * p.bits, p.bits) - zero);
  }
  case Packing::awq: {
    const double zero = p.zeros ? awq(*p.zeros, g, o, out) : half;
    return plain(*p.scales, g * out + o) * (awq(*p.codes, i, o, out) - zero);
  }
  case Packing::words: {
    const int64_t words = (in * p.bits + 31) / 32;
    const double zero = p.zeros ? field(*p.zeros, o / each * groups + g, o % each * p.bits, p.bits) : half;
    const double scale = p.scales->shape.size() < 2 ? plain(*p.scales, 0) : plain(*p.scales, o * groups + g);
    return scale * (field(*p.codes, o * words, i * p.bits, p.bits) - zero);
  }
  case Packing::bytes: {
    const int byte = p.codes->data[o * in + i];
    const bool one = p.scales->byteSize <= 4 && out * groups > 1;
    return plain(*p.scales, one ? 0 : o * groups + g) * (byte < 128 ? byte : byte - 256);
  }
  case Packing::f8: {
    const double value = fromE4m3(p.codes->data[o * in + i]);
    const bool one = p.scales->byteSize <= 4;
    return value * plain(*p.scales, one ? 0 : (p.blockRows ? o / p.blockRows : 0) * groups + g);
  }
  case Packing::mxfp4: {
    const int code = p.codes->data[(o * in + i) / 2] >> (i % 2 ? 4 : 0) & 15, exponent = p.scales->data[o * groups + g];
    return (code & 8 ? -1 : 1) * kE2m1[code & 7] * (exponent == 255 ? NAN : std::pow(2.0, exponent - 127));
  }
  case Packing::nf4: {
    const int byte = p.codes->data[(o * in + i) / 2], code = i % 2 ? byte & 15 : byte >> 4;
    const int64_t block = (o * in + i) / group;
    float scale;
    if (p.outerScales)
      scale = static_cast<float>(plain(*p.outerMap, p.scales->data[block])) *
                  static_cast<float>(plain(*p.outerScales, block / p.outerBlock)) +
              static_cast<float>(p.outerOffset);
    else
      scale = static_cast<float>(plain(*p.scales, block));
    return scale * double(codeBook(QuantCode::nf4)[code]);
  }
  }
  return NAN;
}

} // namespace

Status readPacked(const PackedTensor &packed, Tensor &out) {
  out = Tensor(packed.view.shape);
  const int64_t in = packed.view.shape.back(), rows = static_cast<int64_t>(out.values.size()) / in;
  const int64_t outputs = packed.view.shape[packed.view.shape.size() - 2];
  for (int64_t o = 0; o < rows; ++o)
    for (int64_t i = 0; i < in; ++i) {
      const double value = element(packed, o, i, outputs, in);
      if (!std::isfinite(value))
        return Status::error("an element of tensor \"" + packed.view.name + "\" is not finite");
      out.values[o * in + i] = roundToFloat(value, 23, -126, std::ldexp(16777215, 104));
    }
  return Status::success();
}

} // namespace xfmr::reference
