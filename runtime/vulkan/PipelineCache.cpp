// File of the pipeline cache: magic, XXH3-64 of the data, the driver's data. Drivers check their own header
// but some crash on damaged data, so the hash is checked before a driver sees it. See PipelineCache.h.
#include "runtime/vulkan/PipelineCache.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/MappedFile.h"
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <xxhash.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

constexpr char kMagic[8] = {'X', 'F', 'M', 'R', 'P', 'C', '0', '1'};
constexpr size_t kHead = 16;

std::string hex(const uint8_t *bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    for (int shift : {4, 0})
      text += "0123456789abcdef"[bytes[i] >> shift & 15];
  return text;
}

std::string cacheFolder() {
  const char *xdg = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  std::string base = xdg && xdg[0] == '/' ? xdg : home && home[0] == '/' ? std::string(home) + "/.cache" : "";
  if (base.empty())
    return "";
  ::mkdir(base.c_str(), 0700);
  ::mkdir((base + "/xfmr").c_str(), 0700);
  struct stat info;
  bool there = ::stat((base + "/xfmr").c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  return there ? base + "/xfmr" : "";
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
  MappedFile file;
  if (!path_.empty() && MappedFile::open(path_, file).ok() && file.size() > kHead &&
      std::memcmp(file.data(), kMagic, sizeof kMagic) == 0) {
    uint64_t hash;
    std::memcpy(&hash, file.data() + sizeof kMagic, sizeof hash);
    if (XXH3_64bits(file.data() + kHead, file.size() - kHead) == hash) {
      info.pInitialData = file.data() + kHead;
      info.initialDataSize = file.size() - kHead;
      loadedBytes_ = info.initialDataSize;
      loadedHash_ = hash;
    }
  }
  if (vkCreatePipelineCache(device_->handle(), &info, nullptr, &handle_) == VK_SUCCESS)
    return;
  loadedBytes_ = loadedHash_ = 0;
  info.pInitialData = nullptr;
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
  uint64_t hash = XXH3_64bits(data.data(), data.size());
  if (data.empty() || hash == loadedHash_)
    return;
  AtomicFile file;
  if (file.open(path_).ok() && file.write(kMagic, sizeof kMagic).ok() &&
      file.write(&hash, sizeof hash).ok() && file.write(data.data(), data.size()).ok())
    (void)file.commit().ok();
}
