// See DType.h.
#include "runtime/artifact/DType.h"

namespace xfmr {
namespace {
struct Entry {
  DType dtype;
  std::string_view name;
  unsigned bits;
};
constexpr Entry kEntries[] = {
    {DType::boolean, "BOOL", 8},
    {DType::u8, "U8", 8},
    {DType::i8, "I8", 8},
    {DType::i16, "I16", 16},
    {DType::u16, "U16", 16},
    {DType::i32, "I32", 32},
    {DType::u32, "U32", 32},
    {DType::i64, "I64", 64},
    {DType::u64, "U64", 64},
    {DType::f16, "F16", 16},
    {DType::bf16, "BF16", 16},
    {DType::f32, "F32", 32},
    {DType::f64, "F64", 64},
    {DType::c64, "C64", 64},
    {DType::f8_e4m3, "F8_E4M3", 8},
    {DType::f8_e5m2, "F8_E5M2", 8},
    {DType::f8_e8m0, "F8_E8M0", 8},
    {DType::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
    {DType::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
    {DType::f6_e2m3, "F6_E2M3", 6},
    {DType::f6_e3m2, "F6_E3M2", 6},
    {DType::f4, "F4", 4},
};
} // namespace

std::string_view dtypeName(DType dtype) { return kEntries[static_cast<size_t>(dtype)].name; }

unsigned dtypeBits(DType dtype) { return kEntries[static_cast<size_t>(dtype)].bits; }

std::optional<DType> parseDType(std::string_view name) {
  for (const Entry &entry : kEntries)
    if (entry.name == name)
      return entry.dtype;
  return std::nullopt;
}

float f32FromF16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fu;
  uint32_t mantissa = bits & 0x3ffu;
  uint32_t word;
  if (exponent == 0x1f) {
    word = sign | 0x7f800000u | (mantissa << 13);
  } else if (exponent != 0) {
    word = sign | ((exponent + 112) << 23) | (mantissa << 13);
  } else if (mantissa == 0) {
    word = sign;
  } else { // subnormal: value = mantissa * 2^-24; normalise
    uint32_t shift = 0;
    while (!(mantissa & 0x400u)) {
      mantissa <<= 1;
      ++shift;
    }
    word = sign | ((113 - shift) << 23) | ((mantissa & 0x3ffu) << 13);
  }
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

uint16_t f16FromF32(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  const uint16_t sign = static_cast<uint16_t>((word >> 16) & 0x8000u);
  const uint32_t magnitude = word & 0x7fffffffu;
  if (magnitude > 0x7f800000u) // NaN: keep it quiet and non-zero
    return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));
  if (magnitude >= 0x477ff000u) // rounds to 65536 or more
    return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude >= 0x38800000u) { // normal: round the 13 dropped bits to nearest even
    uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
  }
  if (magnitude < 0x33000000u) // below half of the smallest subnormal
    return sign;
  // Subnormal: shift the significand into units of 2^-24, round to nearest even.
  const uint32_t exponent = magnitude >> 23;
  const uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  const uint32_t shift = 126 - exponent; // 14 .. 24
  uint32_t quotient = significand >> shift;
  const uint32_t rest = significand & ((1u << shift) - 1);
  const uint32_t half = 1u << (shift - 1);
  if (rest > half || (rest == half && (quotient & 1u)))
    ++quotient;
  return static_cast<uint16_t>(sign | quotient);
}

uint16_t bf16FromF32(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  if ((word & 0x7fffffffu) > 0x7f800000u)
    return static_cast<uint16_t>((word >> 16) | 0x40u);
  return static_cast<uint16_t>((word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
}

} // namespace xfmr
