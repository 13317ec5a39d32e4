// The numbers of a self-test's buffers, which compiler and runtime make alike; SelfTest.fbs says where they lie. They are exact
// in f32, f16 and bf16, and so are sums of up to 512 products of two of them in f32, in any order: a kernel that only
// multiplies and adds has one right answer on every device.
#pragma once
#include <cstdint>
#include <cstring>

namespace xfmr::selftest {

/// Number `index` of a seed.
inline float numberAt(uint32_t seed, uint32_t index) {
  uint32_t h = seed * 0x9e3779b9u + index; // a finaliser of MurmurHash3
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  h ^= h >> 16;
  return static_cast<float>(static_cast<int32_t>(h % 257) - 128) / 128;
}

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// A float that an f16 holds exactly without being subnormal there, as one.
inline uint16_t halfOf(float value) {
  const uint32_t bits = bitsOf(value), sign = bits >> 16 & 0x8000;
  return static_cast<uint16_t>(value == 0 ? sign : sign | ((bits >> 13 & 0x3ffff) - (112u << 10)));
}
inline float ofHalf(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffu;
  const float value = magnitude < 0x400    ? static_cast<float>(magnitude) / (1 << 24) // subnormal
                      : magnitude < 0x7c00 ? floatOf((magnitude << 13) + (112u << 23))
                                           : floatOf(magnitude << 13 | 0x7f800000u);
  return half & 0x8000 ? -value : value;
}

} // namespace xfmr::selftest
