// One pair of functions for each family of blocks. Codes are those of QuantScheme.h: unsigned, an integer with half its
// range added.
#include "weights/GgufBlocks.h"
#include "weights/QuantRows.h"
#include <algorithm>
#include <cassert>
#include <cstring>

namespace xfmr {
namespace {

struct Known {
  GgufType type;
  std::string_view scheme;
};
constexpr Known kKnown[] = {
    {GgufType::q4_0, "q4_0"},   {GgufType::q4_1, "q4_1"}, {GgufType::q5_0, "q5_0"},     {GgufType::q5_1, "q5_1"},
    {GgufType::q8_0, "q8_0"},   {GgufType::q2_k, "q2_k"}, {GgufType::q3_k, "q3_k"},     {GgufType::q4_k, "q4_k"},
    {GgufType::q5_k, "q5_k"},   {GgufType::q6_k, "q6_k"}, {GgufType::iq4_nl, "iq4_nl"}, {GgufType::iq4_xs, "iq4_xs"},
    {GgufType::mxfp4, "mxfp4"},
};

// Reads or writes the same fields: a function of a block that works both ways has no second half to disagree with.
class Fields {
public:
  Fields(const uint8_t *bytes, BlockPlanes &planes) : planes(planes), in_(bytes) {}
  Fields(const BlockPlanes &planes, uint8_t *bytes) : planes(const_cast<BlockPlanes &>(planes)), out_(bytes) {}

  BlockPlanes &planes;

  void f16(int at, float &value) {
    if (in_)
      value = scaleFromBytes(QuantScale::f16, in_ + at);
    else
      scaleToBytes(QuantScale::f16, value, out_ + at);
  }
  void e8m0(int at, float &value) {
    if (in_)
      value = scaleFromBytes(QuantScale::e8m0, in_ + at);
    else
      scaleToBytes(QuantScale::e8m0, value, out_ + at);
  }
  /// `count` bits of the byte at `at` from bit `from` on are bits `to` … of the integer.
  template <typename T> void bits(int at, int from, int count, int to, T &value) {
    const unsigned mask = (1u << count) - 1;
    if (in_) {
      const unsigned old = static_cast<unsigned>(value) & ~(mask << to);
      value = static_cast<T>(old | (in_[at] >> from & mask) << to);
    } else {
      out_[at] = static_cast<uint8_t>(out_[at] | (static_cast<unsigned>(value) >> to & mask) << from);
    }
  }
  void code(int at, int from, int count, int to, int element) { bits(at, from, count, to, planes.codes[element]); }
  /// A small integer that is a float here, `offset` added where it is stored.
  template <typename Visit> void small(float &value, int offset, Visit visit) {
    unsigned stored = in_ ? 0 : static_cast<unsigned>(static_cast<int>(value) + offset);
    visit(stored);
    if (in_)
      value = static_cast<float>(static_cast<int>(stored) - offset);
  }

private:
  const uint8_t *in_ = nullptr;
  uint8_t *out_ = nullptr;
};

// Nibbles of `count` elements at `at`: element j low, j + count / 2 high.
void nibbles(Fields &fields, int at, int count, int first) {
  for (int j = 0; j < count / 2; ++j) {
    fields.code(at + j, 0, 4, 0, first + j);
    fields.code(at + j, 4, 4, 0, first + j + count / 2);
  }
}

// The fifth bits of 32 elements.
void fifthBits(Fields &fields, int at) {
  for (int j = 0; j < 32; ++j)
    fields.code(at + j / 8, j % 8, 1, 4, j);
}

// Six bits each of eight scales and eight minima in twelve bytes (q4_K, q5_K).
void sixBits(Fields &fields, int at) {
  for (int j = 0; j < 8; ++j) {
    fields.small(fields.planes.subScales[j], 0, [&](unsigned &value) {
      if (j < 4)
        return fields.bits(at + j, 0, 6, 0, value);
      fields.bits(at + j + 4, 0, 4, 0, value);
      fields.bits(at + j - 4, 6, 2, 4, value);
    });
    fields.small(fields.planes.subMins[j], 0, [&](unsigned &value) {
      if (j < 4)
        return fields.bits(at + j + 4, 0, 6, 0, value);
      fields.bits(at + j + 4, 4, 4, 0, value);
      fields.bits(at + j, 6, 2, 4, value);
    });
  }
}

void q2k(Fields &fields) {
  for (int g = 0; g < 16; ++g) {
    fields.small(fields.planes.subScales[g], 0, [&](unsigned &value) { fields.bits(g, 0, 4, 0, value); });
    fields.small(fields.planes.subMins[g], 0, [&](unsigned &value) { fields.bits(g, 4, 4, 0, value); });
  }
  for (int i = 0; i < 256; ++i)
    fields.code(16 + i / 128 * 32 + i % 32, 2 * (i % 128 / 32), 2, 0, i);
  fields.f16(80, fields.planes.scale);
  fields.f16(82, fields.planes.minimum);
}

void q3k(Fields &fields) {
  for (int i = 0; i < 256; ++i) {
    fields.code(32 + i / 128 * 32 + i % 32, 2 * (i % 128 / 32), 2, 0, i);
    fields.code(i % 32, i / 32, 1, 2, i);
  }
  for (int g = 0; g < 16; ++g)
    fields.small(fields.planes.subScales[g], 32, [&](unsigned &value) {
      fields.bits(96 + g % 8, g / 8 * 4, 4, 0, value);
      fields.bits(104 + g % 4, g / 4 * 2, 2, 4, value);
    });
  fields.f16(108, fields.planes.scale);
}

void q45k(Fields &fields, bool five) {
  fields.f16(0, fields.planes.scale);
  fields.f16(2, fields.planes.minimum);
  sixBits(fields, 4);
  for (int i = 0; i < 256; ++i) {
    const int at = (five ? 48 : 16) + i / 64 * 32 + i % 32;
    fields.code(at, i % 64 / 32 * 4, 4, 0, i);
    if (five)
      fields.code(16 + i % 32, i / 32, 1, 4, i);
  }
}

void q6k(Fields &fields) {
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
    fields.code(half * 64 + l + quarter % 2 * 32, quarter / 2 * 4, 4, 0, i);
    fields.code(128 + half * 32 + l, 2 * quarter, 2, 4, i);
  }
  for (int g = 0; g < 16; ++g) // signed bytes: 128 away from offset binary
    fields.small(fields.planes.subScales[g], 256, [&](unsigned &value) { fields.bits(192 + g, 0, 8, 0, value); });
  for (float &value : fields.planes.subScales)
    value = value < -128 ? value + 256 : value;
  fields.f16(208, fields.planes.scale);
}

void iq4xs(Fields &fields) {
  fields.f16(0, fields.planes.scale);
  for (int g = 0; g < 8; ++g) {
    fields.small(fields.planes.subScales[g], 32, [&](unsigned &value) {
      fields.bits(4 + g / 2, g % 2 * 4, 4, 0, value);
      fields.bits(2 + g / 4, g % 4 * 2, 2, 4, value);
    });
    nibbles(fields, 8 + 16 * g, 32, 32 * g);
  }
}

void visitBlock(GgufType type, Fields &fields) {
  BlockPlanes &planes = fields.planes;
  switch (type) {
  case GgufType::q4_0:
  case GgufType::iq4_nl: fields.f16(0, planes.scale); return nibbles(fields, 2, 32, 0);
  case GgufType::mxfp4: fields.e8m0(0, planes.scale); return nibbles(fields, 1, 32, 0);
  case GgufType::q4_1:
    fields.f16(0, planes.scale);
    fields.f16(2, planes.minimum);
    return nibbles(fields, 4, 32, 0);
  case GgufType::q5_0:
    fields.f16(0, planes.scale);
    fifthBits(fields, 2);
    return nibbles(fields, 6, 32, 0);
  case GgufType::q5_1:
    fields.f16(0, planes.scale);
    fields.f16(2, planes.minimum);
    fifthBits(fields, 4);
    return nibbles(fields, 8, 32, 0);
  case GgufType::q8_0:
    fields.f16(0, planes.scale);
    for (int i = 0; i < 32; ++i) {
      planes.codes[i] ^= 128; // signed bytes
      fields.code(2 + i, 0, 8, 0, i);
      planes.codes[i] ^= 128;
    }
    return;
  case GgufType::q2_k: return q2k(fields);
  case GgufType::q3_k: return q3k(fields);
  case GgufType::q4_k: return q45k(fields, false);
  case GgufType::q5_k: return q45k(fields, true);
  case GgufType::q6_k: return q6k(fields);
  case GgufType::iq4_xs: return iq4xs(fields);
  default: assert(false && "callers ask ggufScheme");
  }
}

} // namespace

std::optional<QuantScheme> ggufScheme(uint32_t type) {
  for (const Known &known : kKnown)
    if (uint32_t(known.type) == type)
      return QuantScheme::named(known.scheme);
  return std::nullopt;
}

std::optional<GgufType> ggufTypeOf(const QuantScheme &scheme) {
  for (const Known &known : kKnown)
    if (QuantScheme::named(known.scheme) == scheme)
      return known.type;
  return std::nullopt;
}

GgufType fittingType(GgufType wanted, int64_t columns) {
  const auto fits = [&](GgufType type) { return columns % ggufBlock(uint32_t(type))->elements == 0; };
  if (fits(wanted))
    return wanted;
  GgufType instead = GgufType::f16;
  switch (wanted) {
  case GgufType::q2_k:
  case GgufType::q3_k:
  case GgufType::iq4_xs: instead = GgufType::iq4_nl; break;
  case GgufType::q4_k: instead = GgufType::q5_0; break;
  case GgufType::q5_k: instead = GgufType::q5_1; break;
  case GgufType::q6_k: instead = GgufType::q8_0; break;
  default: break;
  }
  return fits(instead) ? instead : GgufType::f16;
}

void decodeBlock(GgufType type, const uint8_t *bytes, BlockPlanes &planes) {
  std::memset(planes.codes, 0, sizeof planes.codes);
  planes.minimum = 0;
  Fields fields(bytes, planes);
  visitBlock(type, fields);
}

void encodeBlock(GgufType type, const BlockPlanes &planes, uint8_t *bytes) {
  std::memset(bytes, 0, ggufBlock(uint32_t(type))->bytes);
  BlockPlanes copy = planes; // bytes are flipped in place
  Fields fields(copy, bytes);
  visitBlock(type, fields);
}

void readBlocks(GgufType type, const uint8_t *row, WeightPlane plane, int64_t begin, int64_t end, float *out) {
  const QuantScheme scheme = *ggufScheme(uint32_t(type));
  const GgufBlock block = *ggufBlock(uint32_t(type));
  const int64_t unit = scheme.unit(plane, block.elements), each = block.elements / unit;
  BlockPlanes planes;
  for (int64_t at = begin; at < end;) {
    decodeBlock(type, row + at / each * block.bytes, planes);
    for (const int64_t last = std::min(end, (at / each + 1) * each); at < last; ++at) {
      const int64_t i = at % each;
      switch (plane) {
      case WeightPlane::codes: *out++ = planes.codes[i]; break;
      case WeightPlane::scales: *out++ = planes.scale; break;
      case WeightPlane::mins: *out++ = planes.minimum; break;
      case WeightPlane::subScales: *out++ = planes.subScales[i]; break;
      case WeightPlane::subMins: *out++ = planes.subMins[i]; break;
      case WeightPlane::values: {
        double step = planes.scale, offset = planes.minimum;
        if (scheme.twoLevels()) {
          step *= planes.subScales[i / scheme.group];
          offset *= scheme.minimum ? -planes.subMins[i / scheme.group] : 0;
        }
        *out++ = static_cast<float>(step * scheme.codeValue(planes.codes[i]) + offset);
        break;
      }
      }
    }
  }
}

void writeBlocks(GgufType type, int64_t columns, llvm::function_ref<void(WeightPlane, float *)> read, uint8_t *row) {
  const QuantScheme scheme = *ggufScheme(uint32_t(type));
  const GgufBlock block = *ggufBlock(uint32_t(type));
  const int64_t blocks = columns / block.elements, groups = block.elements / scheme.group;
  std::vector<float> codes(columns), scales(blocks), mins(blocks, 0.0f), subScales(blocks * groups, 0.0f),
      subMins(blocks * groups, 0.0f);
  read(WeightPlane::codes, codes.data());
  read(WeightPlane::scales, scales.data());
  if (scheme.minimum)
    read(WeightPlane::mins, mins.data());
  if (scheme.twoLevels())
    read(WeightPlane::subScales, subScales.data());
  if (scheme.has(WeightPlane::subMins))
    read(WeightPlane::subMins, subMins.data());
  BlockPlanes planes;
  for (int64_t b = 0; b < blocks; ++b) {
    planes.scale = scales[b];
    planes.minimum = mins[b];
    for (int64_t i = 0; i < block.elements; ++i)
      planes.codes[i] = static_cast<uint8_t>(codes[b * block.elements + i]);
    std::copy_n(subScales.begin() + b * groups, groups, planes.subScales);
    std::copy_n(subMins.begin() + b * groups, groups, planes.subMins);
    encodeBlock(type, planes, row + b * block.bytes);
  }
}

} // namespace xfmr
