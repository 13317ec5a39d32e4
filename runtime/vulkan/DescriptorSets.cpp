// One pool for all sets; see DescriptorSets.h.
#include "runtime/vulkan/DescriptorSets.h"
#include "runtime/vulkan/TexelBindings.h"

using namespace xfmr;
using namespace xfmr::vulkan;

DescriptorSets::~DescriptorSets() {
  if (pool_)
    vkDestroyDescriptorPool(device_->handle(), pool_, nullptr);
  for (VkBufferView view : views_)
    vkDestroyBufferView(device_->handle(), view, nullptr);
}

Status DescriptorSets::create(uint32_t sets, uint32_t descriptors) {
  const uint32_t count = std::max(1u, descriptors);
  const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count},
                                        {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, count}};
  VkDescriptorPoolCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
  info.maxSets = std::max(1u, sets);
  info.poolSizeCount = 2;
  info.pPoolSizes = sizes;
  return checked(vkCreateDescriptorPool(device_->handle(), &info, nullptr, &pool_), "create a descriptor pool");
}

Status DescriptorSets::viewOf(const VkDescriptorBufferInfo &range, VkBufferView &view) {
  VkBufferViewCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO};
  info.buffer = range.buffer;
  info.format = VK_FORMAT_R32G32B32A32_UINT;
  info.offset = range.offset;
  info.range = range.range == VK_WHOLE_SIZE ? VK_WHOLE_SIZE : range.range / kTexelBytes * kTexelBytes;
  if (Status s = checked(vkCreateBufferView(device_->handle(), &info, nullptr, &view), "create a view of a buffer");
      s.failed())
    return s;
  views_.push_back(view);
  return Status::success();
}

Status DescriptorSets::add(const Kernel &kernel, const std::vector<VkDescriptorBufferInfo> &ranges,
                           VkDescriptorSet &set) {
  VkDescriptorSetAllocateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
  info.descriptorPool = pool_;
  info.descriptorSetCount = 1;
  info.pSetLayouts = &kernel.setLayout;
  if (Status s = checked(vkAllocateDescriptorSets(device_->handle(), &info, &set), "allocate a descriptor set");
      s.failed())
    return s;
  std::vector<VkWriteDescriptorSet> writes(ranges.size());
  std::vector<VkBufferView> views(ranges.size());
  for (uint32_t i = 0; i < ranges.size(); ++i) {
    writes[i] = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
    writes[i].dstSet = set;
    writes[i].dstBinding = i;
    writes[i].descriptorCount = 1;
    writes[i].descriptorType = descriptorType(kernel.texels, i);
    writes[i].pBufferInfo = &ranges[i];
    writes[i].pTexelBufferView = &views[i];
    if (writes[i].descriptorType != VK_DESCRIPTOR_TYPE_STORAGE_BUFFER)
      if (Status s = viewOf(ranges[i], views[i]); s.failed())
        return s;
  }
  vkUpdateDescriptorSets(device_->handle(), static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
  return Status::success();
}
