// Bindings that a variant reads as texels: uniform texel buffers of four 32-bit words a texel. Which ones its code says itself,
// by variables that are UniformConstant; all others are storage buffers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace xfmr::vulkan {

constexpr uint32_t kTexelBytes = 16;

/// Bit i: binding i. Words that are no SPIR-V have none.
inline uint32_t texelBindings(const std::vector<uint32_t> &words) {
  constexpr size_t kHeader = 5;
  constexpr uint32_t kDecorate = 71, kVariable = 59, kBinding = 33, kUniformConstant = 0;
  uint32_t result = 0;
  std::vector<std::pair<uint32_t, uint32_t>> bindings; // variable and binding; decorations come before variables
  for (size_t at = kHeader, count = 0; at < words.size(); at += count) {
    const uint32_t *instruction = &words[at], code = instruction[0] & 0xffff;
    count = instruction[0] >> 16;
    if (count == 0 || count > words.size() - at)
      return 0;
    if (code == kDecorate && count == 4 && instruction[2] == kBinding)
      bindings.push_back({instruction[1], instruction[3]});
    if (code == kVariable && count >= 4 && instruction[3] == kUniformConstant)
      for (auto [variable, binding] : bindings)
        if (variable == instruction[2] && binding < 32)
          result |= 1u << binding;
  }
  return result;
}

} // namespace xfmr::vulkan
