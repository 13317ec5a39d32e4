// Block allocation of buffers; see Memory.h.
#include "runtime/vulkan/Memory.h"
#include "runtime/vulkan/MemoryPlan.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::vulkan;

constexpr uint64_t kBlockBytes = uint64_t(64) << 20;

Memory::~Memory() {
  for (VkBuffer buffer : buffers_)
    vkDestroyBuffer(device_->handle(), buffer, nullptr);
  for (auto &block : blocks_)
    vkFreeMemory(device_->handle(), block->memory, nullptr);
}

static int typeFor(const Device &device, uint32_t allowed, Placement placement) {
  constexpr VkMemoryPropertyFlags kHost =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  switch (placement) {
  case Placement::device:
    return device.memoryType(allowed, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                             device.facts().unifiedMemory ? kHost : 0);
  case Placement::upload: return device.memoryType(allowed, kHost, 0);
  case Placement::readback:
    return device.memoryType(allowed, kHost, VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  }
  return -1;
}

Status Memory::place(const VkMemoryRequirements &needs, uint32_t type, bool map, Block *&block,
                     uint64_t &offset) {
  auto aligned = [&](uint64_t at) {
    return (at + needs.alignment - 1) / needs.alignment * needs.alignment;
  };
  for (auto &candidate : blocks_)
    if (candidate->type == type && (candidate->mapped != nullptr) == map &&
        aligned(candidate->used) + needs.size <= candidate->size) {
      block = candidate.get();
      offset = aligned(block->used);
      block->used = offset + needs.size;
      return Status::success();
    }
  auto made = std::make_unique<Block>();
  VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  // Where nothing is announced small requests get small blocks at first: a toy model should not cost 64 MiB.
  const uint64_t wanted = coming_ ? coming_ : std::min(kBlockBytes, std::max<uint64_t>(allocated_, 1 << 20));
  info.allocationSize = blockBytes(needs.size, wanted, device_->facts().maxAllocation);
  info.memoryTypeIndex = type;
  VkResult result = vkAllocateMemory(device_->handle(), &info, nullptr, &made->memory);
  while (result == VK_ERROR_OUT_OF_DEVICE_MEMORY && afterRefusal(info.allocationSize, needs.size)) {
    info.allocationSize = afterRefusal(info.allocationSize, needs.size);
    result = vkAllocateMemory(device_->handle(), &info, nullptr, &made->memory);
  }
  if (Status status = checked(result, "allocate " + std::to_string(info.allocationSize) + " bytes on '" +
                                          device_->facts().name + "', beside " + std::to_string(allocated_) + " before");
      status.failed())
    return status;
  made->type = type;
  made->size = info.allocationSize;
  made->used = needs.size;
  made->mapped = nullptr;
  allocated_ += made->size;
  block = made.get();
  offset = 0;
  blocks_.push_back(std::move(made));
  if (!map)
    return Status::success();
  void *pointer = nullptr;
  Status status = checked(
      vkMapMemory(device_->handle(), block->memory, 0, VK_WHOLE_SIZE, 0, &pointer), "map memory");
  block->mapped = static_cast<uint8_t *>(pointer);
  return status;
}

Status Memory::add(uint64_t size, Placement placement, const std::string &name, Buffer &out) {
  VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = size;
  info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  if (placement == Placement::device)
    info.usage |= VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
  VkBuffer handle = VK_NULL_HANDLE;
  if (Status status = checked(vkCreateBuffer(device_->handle(), &info, nullptr, &handle),
                              "create the buffer '" + name + "'");
      status.failed())
    return status;
  buffers_.push_back(handle);
  VkMemoryRequirements needs;
  vkGetBufferMemoryRequirements(device_->handle(), handle, &needs);
  int type = typeFor(*device_, needs.memoryTypeBits, placement);
  if (type < 0)
    return Status::error("'" + device_->facts().name + "' has no memory type for the buffer '" +
                         name + "'");
  bool map = placement != Placement::device ||
             (device_->facts().unifiedMemory && (device_->memoryFlags(static_cast<uint32_t>(type)) &
                                                 VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT));
  Block *block = nullptr;
  uint64_t offset = 0;
  if (Status status = place(needs, static_cast<uint32_t>(type), map, block, offset); status.failed())
    return status;
  coming_ -= std::min<uint64_t>(coming_, needs.size + needs.alignment);
  if (Status status = checked(vkBindBufferMemory(device_->handle(), handle, block->memory, offset),
                              "bind the buffer '" + name + "'");
      status.failed())
    return status;
  out = {handle, size, block->mapped ? block->mapped + offset : nullptr};
  return Status::success();
}
