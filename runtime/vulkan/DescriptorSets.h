// Descriptor sets of kernels' layouts: storage buffers, and views of them where a variant reads texels (TexelBindings.h).
#pragma once
#include "runtime/vulkan/Kernels.h"

namespace xfmr::vulkan {

class DescriptorSets {
public:
  explicit DescriptorSets(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  ~DescriptorSets();
  DescriptorSets(const DescriptorSets &) = delete;
  DescriptorSets &operator=(const DescriptorSets &) = delete;

  /// Makes room for so many sets and so many descriptors in all; once, and first.
  Status create(uint32_t sets, uint32_t descriptors);
  /// A set for the kernel, binding i the i-th range. It lives as long as this.
  Status add(const Kernel &kernel, const std::vector<VkDescriptorBufferInfo> &ranges, VkDescriptorSet &set);

private:
  Status viewOf(const VkDescriptorBufferInfo &range, VkBufferView &view);

  std::shared_ptr<Device> device_;
  VkDescriptorPool pool_ = VK_NULL_HANDLE;
  std::vector<VkBufferView> views_;
};

} // namespace xfmr::vulkan
