// Drivers check their own header, but some crash on damaged data, so it is a file that is checked before. See PipelineCache.h.
#include "runtime/vulkan/PipelineCache.h"
#include "runtime/artifact/CacheFile.h"

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

std::string hex(const uint8_t *bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    for (int shift : {4, 0})
      text += "0123456789abcdef"[bytes[i] >> shift & 15];
  return text;
}

std::string fileName(VkPhysicalDevice device) {
  VkPhysicalDeviceIDProperties ids{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  properties.pNext = &ids;
  vkGetPhysicalDeviceProperties2(device, &properties);
  // pipelineCacheUUID already changes with device and driver; the driver UUID and version make sure of it.
  return hex(properties.properties.pipelineCacheUUID, VK_UUID_SIZE) + "-" +
         hex(ids.driverUUID, VK_UUID_SIZE) + "-" +
         std::to_string(properties.properties.driverVersion);
}

} // namespace

std::string xfmr::vulkan::cacheFile(VkPhysicalDevice device, const char *ending) {
  const std::string folder = cacheFolder();
  return folder.empty() ? "" : folder + "/" + fileName(device) + ending;
}

PipelineCache::PipelineCache(std::shared_ptr<Device> device) : device_(std::move(device)) {
  VkPipelineCacheCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
  path_ = cacheFile(device_->physical(), ".pipelines");
  const std::string loaded = path_.empty() ? "" : readCached(path_).value_or("");
  info.pInitialData = loaded.data();
  info.initialDataSize = loaded.size();
  warm_ = !loaded.empty();
  if (vkCreatePipelineCache(device_->handle(), &info, nullptr, &handle_) == VK_SUCCESS)
    return;
  warm_ = false;
  info.initialDataSize = 0;
  if (vkCreatePipelineCache(device_->handle(), &info, nullptr, &handle_) != VK_SUCCESS)
    handle_ = VK_NULL_HANDLE; // pipelines are then compiled without one
}

PipelineCache::~PipelineCache() {
  if (!handle_)
    return;
  size_t size = 0;
  std::string data;
  if (!path_.empty() && vkGetPipelineCacheData(device_->handle(), handle_, &size, nullptr) == VK_SUCCESS) {
    data.resize(size);
    if (vkGetPipelineCacheData(device_->handle(), handle_, &size, data.data()) != VK_SUCCESS)
      size = 0;
    data.resize(size);
  }
  vkDestroyPipelineCache(device_->handle(), handle_, nullptr);
  if (!data.empty() && readCached(path_) != data)
    writeCached(path_, data);
}
