// The random numbers of sampling, the same bits on every target.
#pragma once
#include "passes/codegen/builder/Arithmetic.h"

namespace xfmr::codegen {

// Threefry-2x32, 20 rounds (Salmon et al. 2011) of the counter {counter, 0} under the key {k0, k1}: 24 bits in [0, 1).
template <class V> V threefryUniform(V k0, V k1, V counter) {
  V schedule[] = {k0, k1, k0 ^ k1 ^ 0x1BD11BDA};
  V x0 = counter + k0, x1 = k1;
  constexpr uint32_t kRotations[] = {13, 15, 26, 6, 17, 29, 16, 24};
  for (uint32_t round = 0; round < 20; ++round) {
    uint32_t r = kRotations[round % 8];
    x0 = x0 + x1;
    x1 = ((x1 << r) | (x1 >> (32 - r))) ^ x0;
    if (round % 4 == 3) {
      uint32_t injection = round / 4 + 1;
      x0 = x0 + schedule[injection % 3];
      x1 = x1 + schedule[(injection + 1) % 3] + injection;
    }
  }
  return toFloat(x0 >> 8) * 0x1p-24;
}

} // namespace xfmr::codegen
