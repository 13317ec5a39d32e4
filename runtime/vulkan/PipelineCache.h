// The driver's compiled kernels, kept between processes (runtime/artifact/CacheFile.h), one file a device and driver.
#pragma once
#include "runtime/vulkan/Device.h"
#include <string>

namespace xfmr::vulkan {

/// A file there for what is true of this device by this version of its driver; empty if there is no place for it.
std::string cacheFile(VkPhysicalDevice device, const char *ending);

class PipelineCache {
public:
  explicit PipelineCache(std::shared_ptr<Device> device);
  /// Writes the file (atomically) if compiling added something.
  ~PipelineCache();
  PipelineCache(const PipelineCache &) = delete;
  PipelineCache &operator=(const PipelineCache &) = delete;

  VkPipelineCache handle() const { return handle_; }
  /// Whether kernels of an earlier process were found.
  bool warm() const { return warm_; }
  /// Empty if there is no place for it.
  const std::string &path() const { return path_; }

private:
  std::shared_ptr<Device> device_;
  VkPipelineCache handle_ = VK_NULL_HANDLE;
  std::string path_;
  bool warm_ = false;
};

} // namespace xfmr::vulkan
