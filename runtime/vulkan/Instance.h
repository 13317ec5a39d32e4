// The Vulkan instance: finds the loader and, with XFMR_VALIDATE=1 in the environment, switches on the
// validation layer with synchronization validation. Its messages go to stderr and are counted, so that a
// tool can fail on them. One instance serves the whole process.
#pragma once
#include "runtime/vulkan/Result.h"
#include <cstdint>
#include <memory>
#include <vector>

namespace xfmr::vulkan {

class Instance {
public:
  /// The process's instance, made on the first call and kept while anyone holds it.
  static Status get(std::shared_ptr<Instance> &out);
  ~Instance();
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;

  std::vector<VkPhysicalDevice> physicalDevices() const;
  VkInstance handle() const { return handle_; }
  bool validating() const { return messenger_ != VK_NULL_HANDLE; }

private:
  Instance() = default;
  Status create();

  VkInstance handle_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
};

/// Warnings and errors the validation layer reported in this process so far.
uint32_t validationMessages();

} // namespace xfmr::vulkan
