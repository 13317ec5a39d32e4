// Bindings that a variant reads as texels: uniform texel buffers of four 32-bit words a texel. Which ones its code says itself,
// by variables that are UniformConstant; all others are storage buffers.
#pragma once
#include "runtime/artifact/KernelCode.h"
#include <utility>
#include <vector>
#include <vulkan/vulkan_core.h>

namespace xfmr::vulkan {

constexpr uint32_t kTexelBytes = 16;

/// Whether what can be bound as a storage buffer can be bound as texels, too.
inline bool bindsTexels(const VkPhysicalDeviceLimits &limits) {
  return limits.maxTexelBufferElements >= limits.maxStorageBufferRange / kTexelBytes &&
         limits.minTexelBufferOffsetAlignment <= limits.minStorageBufferOffsetAlignment;
}

/// Bit i: binding i. Words that are no SPIR-V have none.
inline uint32_t texelBindings(const std::vector<uint32_t> &words) {
  constexpr uint32_t kDecorate = 71, kVariable = 59, kBinding = 33, kUniformConstant = 0;
  uint32_t result = 0;
  std::vector<std::pair<uint32_t, uint32_t>> bindings; // variable and binding; decorations come before variables
  auto see = [&](uint32_t code, uint64_t at, uint64_t length) {
    if (code == kDecorate && length == 4 && words[at + 2] == kBinding)
      bindings.push_back({words[at + 1], words[at + 3]});
    if (code == kVariable && length >= 4 && words[at + 3] == kUniformConstant)
      for (auto [variable, binding] : bindings)
        if (variable == words[at + 2] && binding < 32)
          result |= 1u << binding;
  };
  return artifact::eachInstruction(reinterpret_cast<const uint8_t *>(words.data()), words.size(), see) == words.size()
             ? result
             : 0;
}

/// Of a binding, where `texels` are those that are such, a bit each.
inline VkDescriptorType descriptorType(uint32_t texels, size_t binding) {
  return texels >> binding & 1 ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

} // namespace xfmr::vulkan
