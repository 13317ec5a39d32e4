// Floats as integers of the same order: what top-k, top-p and ties are decided on, on the bits, since targets treat
// comparisons with NaN as they like.
#pragma once
#include "passes/codegen/builder/Arithmetic.h"

namespace xfmr::codegen {

constexpr uint32_t kInfinityBits = 0x7f800000;

template <class V> V isNan(V x) { return (asInt(x) & 0x7fffffffu) > kInfinityBits; }

// A monotone image of a float as u32: -0 equals +0, a NaN is `nanKey`, below all numbers. No number has a key of 0 or 1.
template <class V> V orderedKey(V x, uint32_t nanKey = 0) {
  V bits = asInt(x);
  bits = select(bits == 0x80000000u, constantLike(bits, 0), bits);
  V key = select((bits >> 31) != 0, bits ^ 0xffffffffu, bits ^ 0x80000000u);
  return select(isNan(x), constantLike(key, nanKey), key);
}

// The number whose orderedKey is `key`.
template <class V> V fromOrderedKey(V key) {
  return asFloat(select((key >> 31) != 0, key ^ 0x80000000u, key ^ 0xffffffffu));
}

// The ids whose key is above `key`, and those of that key with an id up to `id`.
template <class V> struct BasicCut {
  V key, id;
  V admits(V otherKey, V otherId) const { return (otherKey > key) | ((otherKey == key) & (otherId <= id)); }
};

} // namespace xfmr::codegen
