// Buffers and the device memory under them. Buffers are placed one after another in large blocks, so the
// number of allocations stays far below the driver's limit whatever the number of weights.
#pragma once
#include "runtime/vulkan/Device.h"

namespace xfmr::vulkan {

/// A buffer that its Memory owns. `mapped` is null unless the memory is visible to the host.
struct Buffer {
  VkBuffer handle = VK_NULL_HANDLE;
  uint64_t size = 0;
  uint8_t *mapped = nullptr;
};

enum class Placement {
  device,  // what kernels use; visible to the host on unified memory
  upload,  // host writes, device copies from
  readback // device copies to, host reads
};

class Memory {
public:
  explicit Memory(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  /// A storage, texel, indirect and transfer buffer of `size` bytes; `name` is for messages.
  Status add(uint64_t size, Placement placement, const std::string &name, Buffer &out);

  /// Announces buffers of so many bytes together, so that they share large blocks.
  void expect(uint64_t bytes) { coming_ += bytes; }

  uint64_t allocatedBytes() const { return allocated_; }
  size_t allocations() const { return blocks_.size(); }

private:
  struct Block {
    VkDeviceMemory memory;
    uint32_t type;
    uint64_t size, used;
    uint8_t *mapped;
  };
  Status place(const VkMemoryRequirements &needs, uint32_t type, bool map, Block *&block,
               uint64_t &offset);

  std::shared_ptr<Device> device_;
  std::vector<VkBuffer> buffers_;
  std::vector<std::unique_ptr<Block>> blocks_;
  uint64_t allocated_ = 0, coming_ = 0;
};

} // namespace xfmr::vulkan
