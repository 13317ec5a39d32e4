// A logical device with one compute queue, and the facts about it that policies use.
#pragma once
#include "runtime/vulkan/DeviceChoice.h"
#include "runtime/vulkan/Instance.h"
#include <mutex>

namespace xfmr::vulkan {

/// Reads what DeviceChoice.h needs to know.
DeviceFacts factsOf(VkPhysicalDevice device);

class Device {
public:
  /// Every device of the machine, in the order that --device INDEX counts.
  static Status list(std::vector<DeviceFacts> &out);

  /// Chooses (see chooseDevice) and opens. All features the device offers are switched on, except robust
  /// buffer access: kernels guard their own rows.
  static Status open(const std::string &wanted, const ProgramNeeds &needs,
                     std::shared_ptr<Device> &out);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  VkDevice handle() const { return handle_; }
  VkPhysicalDevice physical() const { return physical_; }
  uint32_t queueFamily() const { return queueFamily_; }
  const DeviceFacts &facts() const { return facts_; }
  /// Why this device was chosen, for --verbose.
  const std::string &reason() const { return reason_; }

  /// Submits to the queue; sessions of several threads may call it.
  VkResult submit(const std::vector<VkCommandBuffer> &commands, VkFence fence);

  /// Index of the first memory type among `allowed` with all `required` flags, preferring those with all
  /// `preferred` flags too; -1 if there is none.
  int memoryType(uint32_t allowed, VkMemoryPropertyFlags required,
                 VkMemoryPropertyFlags preferred) const;
  VkMemoryPropertyFlags memoryFlags(uint32_t type) const {
    return memory_.memoryTypes[type].propertyFlags;
  }

private:
  Device() = default;
  Status create();

  std::shared_ptr<Instance> instance_;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice handle_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  uint32_t queueFamily_ = 0;
  std::mutex queueMutex_;
  VkPhysicalDeviceMemoryProperties memory_ = {};
  DeviceFacts facts_;
  std::string reason_;
};

} // namespace xfmr::vulkan
