// Bits as the specifications of the files list them (docs/Formats.md), without tables of places.
#include "reference/ops/Quantised.h"
#include "dialect/Rounding.h"
#include "reference/ops/Stored.h"
#include "runtime/artifact/Gguf.h"
#include <cmath>
#include <cstring>

namespace xfmr::reference {
namespace {

int bit(const uint8_t *bytes, int64_t index) {
  return bytes[index / 8] >> (index % 8) & 1;
}
double half(const uint8_t *bytes) {
  return fromF16(static_cast<uint16_t>(bytes[0] | bytes[1] << 8));
}
int nibble(const uint8_t *bytes, int element) {
  return element < 16 ? bytes[element] & 15 : bytes[element - 16] >> 4;
}

constexpr double kFourBits[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
double e2m1(int code) {
  const double magnitude = (code & 6) == 0 ? (code & 1) * 0.5 : std::ldexp(1.0 + (code & 1) * 0.5, (code >> 1 & 3) - 1);
  return code & 8 ? -magnitude : magnitude;
}

// Scale and minimum of sub-block j of q4_K and q5_K.
void sixBits(const uint8_t *s, int j, int &scale, int &minimum) {
  scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
  minimum = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | (s[j] >> 6) << 4;
}

// Element i of a block.
double element(GgufType type, const uint8_t *b, int i) {
  int scale = 0, minimum = 0;
  switch (type) {
  case GgufType::q4_0: return half(b) * (nibble(b + 2, i) - 8);
  case GgufType::q4_1: return half(b) * nibble(b + 4, i) + half(b + 2);
  case GgufType::q5_0: return half(b) * (nibble(b + 6, i) + 16 * bit(b + 2, i) - 16);
  case GgufType::q5_1: return half(b) * (nibble(b + 8, i) + 16 * bit(b + 4, i)) + half(b + 2);
  case GgufType::q8_0: return half(b) * static_cast<int8_t>(b[2 + i]);
  case GgufType::iq4_nl: return half(b) * kFourBits[nibble(b + 2, i)];
  case GgufType::mxfp4: return std::ldexp(e2m1(nibble(b + 1, i)), b[0] - 127);
  case GgufType::q2_k: {
    const int both = b[i / 16], q = b[16 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
    return half(b + 80) * (both & 15) * q - half(b + 82) * (both >> 4);
  }
  case GgufType::q3_k: {
    const int g = i / 16, low = g < 8 ? b[96 + g] & 15 : b[96 + g - 8] >> 4;
    const int s = (low | (b[104 + g % 4] >> (g / 4 * 2) & 3) << 4) - 32;
    const int q = (b[32 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3) - (b[i % 32] >> (i / 32) & 1 ? 0 : 4);
    return half(b + 108) * s * q;
  }
  case GgufType::q4_k:
    sixBits(b + 4, i / 32, scale, minimum);
    return half(b) * scale * (b[16 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15) - half(b + 2) * minimum;
  case GgufType::q5_k:
    sixBits(b + 4, i / 32, scale, minimum);
    return half(b) * scale *
               ((b[48 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15) + 16 * (b[16 + i % 32] >> (i / 32) & 1)) -
           half(b + 2) * minimum;
  case GgufType::q6_k: {
    const int in = i % 128, low = b[i / 128 * 64 + in % 64] >> (in / 64 * 4) & 15;
    const int high = b[128 + i / 128 * 32 + in % 32] >> (in / 32 * 2) & 3;
    return half(b + 208) * static_cast<int8_t>(b[192 + i / 16]) * ((low | high << 4) - 32);
  }
  case GgufType::iq4_xs: {
    const int g = i / 32, high = (b[2] | b[3] << 8) >> (2 * g) & 3;
    const int s = ((b[4 + g / 2] >> (g % 2 * 4) & 15) | high << 4) - 32;
    return half(b) * s * kFourBits[nibble(b + 8 + 16 * g, i % 32)];
  }
  default: return NAN;
  }
}

// Packed rows (weights/QuantRows.h): the code of column c, gathered bit by bit.
int packedCode(const QuantScheme &scheme, const uint8_t *row, int64_t c) {
  const int bits = scheme.bits(), in = static_cast<int>(c % 32);
  const uint8_t *words = row + c / 32 * 4 * bits;
  int code = 0, done = 0;
  for (int size : {8, 4, 2, 1}) { // fields from the lowest bits on; each takes `size` words
    if ((size == 8) != (bits == 8) || !(bits & size))
      continue;
    const int each = 32 / size, at = in % each;
    const uint8_t byte = words[4 * (in / each) + at % 4];
    code |= (byte >> (at / 4 * size) & ((1 << size) - 1)) << done;
    done += size;
    words += 4 * size;
  }
  return code;
}

double codeValue(const QuantScheme &scheme, int code) {
  switch (scheme.code) {
  case QuantCode::e2m1: return e2m1(code);
  case QuantCode::iq4_nl: return kFourBits[code];
  case QuantCode::nf4: return scheme.codeValue(code);
  default: return scheme.minimum ? code : code - (1 << (scheme.bits() - 1));
  }
}

double storedNumber(QuantScale type, const uint8_t *bytes) {
  const uint16_t both = static_cast<uint16_t>(bytes[0] | (type == QuantScale::e8m0 ? 0 : bytes[1] << 8));
  switch (type) {
  case QuantScale::f16: return fromF16(both);
  case QuantScale::bf16: return fromBF16(both);
  case QuantScale::e8m0: return std::ldexp(1.0, bytes[0] - 127);
  case QuantScale::f32: break;
  }
  float value;
  std::memcpy(&value, bytes, 4);
  return value;
}

int64_t upTo(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

} // namespace

Status readQuantised(const QuantScheme &scheme, const std::vector<int64_t> &shape, const TensorView &view,
                     Tensor &out) {
  out = Tensor(shape);
  const int64_t columns = out.columns(), rows = static_cast<int64_t>(out.values.size()) / columns;
  auto round = [](double value) { return roundToFloat(value, 23, -126, std::ldexp(16777215, 104)); };
  if (view.blocks) {
    const GgufBlock block = *ggufBlock(view.blocks);
    for (size_t i = 0; i < out.values.size(); ++i)
      out.values[i] = round(element(GgufType(view.blocks), view.data + i / block.elements * block.bytes,
                                    static_cast<int>(i % block.elements)));
    return Status::success();
  }
  const int64_t group = scheme.group ? scheme.group : columns, run = scheme.super ? scheme.super : group;
  const int64_t runs = (columns + run - 1) / run, groups = (columns + group - 1) / group;
  const int64_t scales = upTo(columns, 32) / 8 * scheme.bits(), mins = scales + upTo(runs * scheme.scaleBytes(), 4);
  const int64_t subs = scheme.minimum ? mins + (mins - scales) : mins, subMins = subs + upTo(groups, 4);
  const int64_t end = !scheme.super ? subs : scheme.minimum ? subMins + upTo(groups, 4) : subMins;
  const int64_t rowBytes = upTo(end, 16);
  if (static_cast<uint64_t>(rows * rowBytes) != view.byteSize)
    return Status::error("tensor \"" + view.name + "\" has " + std::to_string(view.byteSize) + " bytes, expected " +
                         std::to_string(rows * rowBytes));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      const uint8_t *row = view.data + r * rowBytes;
      double step = storedNumber(scheme.scale, row + scales + c / run * scheme.scaleBytes());
      double offset = scheme.minimum ? storedNumber(scheme.scale, row + mins + c / run * scheme.scaleBytes()) : 0;
      if (scheme.super) {
        step *= row[subs + c / group] - scheme.subOffset();
        offset *= scheme.minimum ? -double(row[subMins + c / group]) : 0;
      }
      out.values[r * columns + c] = round(step * codeValue(scheme, packedCode(scheme, row, c)) + offset);
    }
  return Status::success();
}

Status evaluate(WeightQuantizeOp op, Evaluation &evaluation) {
  const Tensor &x = evaluation.get(op.getInput());
  const QuantScheme scheme = *quantSchemeOf(op.getType());
  Tensor y(x.shape);
  const int64_t columns = x.columns(), run = scheme.runColumns(columns), group = scheme.groupColumns(columns);
  for (size_t begin = 0; begin < x.values.size(); begin += columns)
    for (int64_t at = 0; at < columns; at += run) {
      const int64_t count = std::min(run, columns - at);
      std::vector<float> values(x.values.begin() + begin + at, x.values.begin() + begin + at + count);
      const RunScales scales = chooseScales(scheme, op.getRule(), values.data(), count, columns);
      for (int64_t i = 0; i < count; ++i) {
        const float step = scales.steps[i / group], offset = scales.offsets[i / group];
        const int code = nearestCode(scheme, values[i], step, offset);
        y.values[begin + at + i] =
            roundToFloat(double(step) * codeValue(scheme, code) + offset, 23, -126, std::ldexp(16777215, 104));
      }
    }
  evaluation.set(op.getResult(), std::move(y));
  return Status::success();
}

} // namespace xfmr::reference
