// Element types of the safetensors format and their sizes, plus the conversions between f32 and the
// 16-bit types that compiler and runtime share.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace xfmr {

enum class DType : uint8_t {
  boolean,
  u8,
  i8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  f16,
  bf16,
  f32,
  f64,
  c64,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  f6_e2m3,
  f6_e3m2,
  f4
};

/// The format's spelling: "F32", "BF16", "F8_E4M3".
std::string_view dtypeName(DType dtype);
std::optional<DType> parseDType(std::string_view name);
/// Bits of one element; 4 or 6 for the packed sub-byte types.
unsigned dtypeBits(DType dtype);

// Conversions round to nearest, ties to even; NaN stays NaN, overflow becomes infinity.
float f32FromF16(uint16_t bits);
uint16_t f16FromF32(float value);
inline float f32FromBF16(uint16_t bits) {
  uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}
uint16_t bf16FromF32(float value);

} // namespace xfmr
