// Opening a device; see Device.h. What is chosen is decided in DeviceChoice.cpp.
#include "runtime/vulkan/Device.h"
#include "runtime/vulkan/CooperativeMatrix.h"

using namespace xfmr;
using namespace xfmr::vulkan;

static std::vector<DeviceFacts> allFacts(const std::vector<VkPhysicalDevice> &devices) {
  std::vector<DeviceFacts> facts;
  for (VkPhysicalDevice device : devices)
    facts.push_back(factsOf(device));
  return facts;
}

Status Device::list(std::vector<DeviceFacts> &out) {
  std::shared_ptr<Instance> instance;
  if (Status status = Instance::get(instance); status.failed())
    return status;
  out = allFacts(instance->physicalDevices());
  return Status::success();
}

Status Device::open(const std::string &wanted, const ProgramNeeds &needs,
                    std::shared_ptr<Device> &out) {
  std::shared_ptr<Device> device(new Device);
  if (Status status = Instance::get(device->instance_); status.failed())
    return status;
  std::vector<VkPhysicalDevice> devices = device->instance_->physicalDevices();
  std::vector<DeviceFacts> facts = allFacts(devices);
  size_t index = 0;
  if (Status status = chooseDevice(facts, needs, wanted, index, device->reason_); status.failed())
    return status;
  device->physical_ = devices[index];
  device->facts_ = facts[index];
  if (Status status = device->create(); status.failed())
    return status;
  out = std::move(device);
  return Status::success();
}

Status Device::create() {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
  while (queueFamily_ + 1 < count && !(families[queueFamily_].queueFlags & VK_QUEUE_COMPUTE_BIT))
    ++queueFamily_;
  vkGetPhysicalDeviceMemoryProperties(physical_, &memory_);

  VkPhysicalDeviceVulkan13Features f13{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
  f13.subgroupSizeControl = f13.computeFullSubgroups = VK_TRUE;
  VkPhysicalDeviceVulkan12Features f12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceVulkan11Features f11{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
  f11.pNext = &f12;
  VkPhysicalDevice16BitStorageFeatures storage16{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  bool has12 = facts_.apiMajor > 1 || facts_.apiMinor >= 2;
  features.pNext = has12 ? static_cast<void *>(&f11) : &storage16;
  vkGetPhysicalDeviceFeatures2(physical_, &features);
  features.features.robustBufferAccess = VK_FALSE;
  if (!f12.vulkanMemoryModelDeviceScope) // with the model but without this, kernels whose workgroups tell each other are invalid
    f12.vulkanMemoryModel = VK_FALSE;
  if (facts_.subgroupSizeControl) // after the query: nothing else of 1.3 is used
    f12.pNext = &f13;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR};
  matrix.cooperativeMatrix = VK_TRUE;
  const char *matrixExtension = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
  if (facts_.matrixUnits()) {
    matrix.pNext = features.pNext;
    features.pNext = &matrix;
  }

  float priority = 1;
  VkDeviceQueueCreateInfo queue{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queue.queueFamilyIndex = queueFamily_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  info.pNext = &features;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = facts_.matrixUnits();
  info.ppEnabledExtensionNames = &matrixExtension;
  if (Status status = checked(vkCreateDevice(physical_, &info, nullptr, &handle_),
                              "open the device '" + facts_.name + "'");
      status.failed())
    return status;
  vkGetDeviceQueue(handle_, queueFamily_, 0, &queue_);
  return Status::success();
}

Device::~Device() {
  if (handle_) {
    vkDeviceWaitIdle(handle_);
    vkDestroyDevice(handle_, nullptr);
  }
}

VkResult Device::submit(const std::vector<VkCommandBuffer> &commands, VkFence fence) {
  VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  info.commandBufferCount = static_cast<uint32_t>(commands.size());
  info.pCommandBuffers = commands.data();
  std::lock_guard<std::mutex> lock(queueMutex_);
  return vkQueueSubmit(queue_, 1, &info, fence);
}

int Device::memoryType(uint32_t allowed, VkMemoryPropertyFlags required,
                       VkMemoryPropertyFlags preferred) const {
  for (VkMemoryPropertyFlags flags : {required | preferred, required})
    for (uint32_t i = 0; i < memory_.memoryTypeCount; ++i)
      if ((allowed >> i & 1) && (memory_.memoryTypes[i].propertyFlags & flags) == flags)
        return static_cast<int>(i);
  return -1;
}
