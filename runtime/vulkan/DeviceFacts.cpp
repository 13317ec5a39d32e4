// Reads a physical device into DeviceFacts. The feature names are those that a kernel variant may require:
//   subgroup_arithmetic subgroup_shuffle subgroup_ballot   in compute shaders
//   float16 int8 int16 int64                               arithmetic
//   storage_16bit storage_8bit                             in storage buffers
//   integer_dot                                            products of four bytes in one instruction
//   subgroup_size_N                                        every subgroup has N invocations
//   texel_buffers                                          what can be bound as a storage buffer can be bound as texels
//                                                          of 16 bytes, too (TexelBindings.h)
//   gpu                                                    no software driver
//   workgroup_256 workgroup_512                            workgroups of so many invocations, all along x
//   cooperative_matrix_f16_MxNxK                           subgroups multiply such matrices of f16 and sum up in f32; with
//                                                          it come float16, Vulkan's memory model, SPIR-V 1.6 and
//                                                          32 KiB of workgroup memory, of which 16 are sure elsewhere
#include "runtime/vulkan/CooperativeMatrix.h"
#include "runtime/vulkan/Device.h"
#include "runtime/vulkan/TexelBindings.h"
#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace xfmr::vulkan;

namespace {

int computeQueueFamily(VkPhysicalDevice device) {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  for (uint32_t i = 0; i < count; ++i)
    if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
      return static_cast<int>(i);
  return -1;
}

DeviceType typeOf(VkPhysicalDeviceType type) {
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return DeviceType::discrete;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return DeviceType::integrated;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return DeviceType::virtualized;
  case VK_PHYSICAL_DEVICE_TYPE_CPU: return DeviceType::cpu;
  default: return DeviceType::other;
  }
}

void readMemory(VkPhysicalDevice device, DeviceFacts &facts) {
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(device, &memory);
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
    facts.heaps.push_back({memory.memoryHeaps[i].size, (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0, false});
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    if (memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
      facts.heaps[memory.memoryTypes[i].heapIndex].hostVisible = true;
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      facts.deviceMemory = std::max(facts.deviceMemory, uint64_t(memory.memoryHeaps[i].size));
  constexpr VkMemoryPropertyFlags kUnified = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                             VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                             VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  bool shared = facts.type == DeviceType::integrated || facts.type == DeviceType::cpu;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    if (shared && (memory.memoryTypes[i].propertyFlags & kUnified) == kUnified)
      facts.unifiedMemory = true;
  // Software devices report a nominal heap; their memory is the machine's.
  if (facts.type == DeviceType::cpu)
    facts.deviceMemory = ~uint64_t(0);
  if (const char *most = std::getenv("XFMR_VULKAN_MEMORY")) // bytes, where others need the rest
    facts.deviceMemory = std::min<uint64_t>(facts.deviceMemory, std::strtoull(most, nullptr, 10));
}

// Whether pipelines can be bound to subgroups of the size that the device reports. Where they cannot, some drivers choose
// a smaller one for a pipeline.
void readSubgroupSizeControl(VkPhysicalDevice device, DeviceFacts &facts) {
  VkPhysicalDeviceVulkan13Features f13{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  features.pNext = &f13;
  vkGetPhysicalDeviceFeatures2(device, &features);
  VkPhysicalDeviceVulkan13Properties p13{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  properties.pNext = &p13;
  vkGetPhysicalDeviceProperties2(device, &properties);
  facts.minSubgroupSize = p13.minSubgroupSize, facts.maxSubgroupSize = p13.maxSubgroupSize;
  facts.subgroupSizeControl = f13.subgroupSizeControl && f13.computeFullSubgroups &&
                              (p13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
                              facts.subgroupSize >= p13.minSubgroupSize && facts.subgroupSize <= p13.maxSubgroupSize;
  if (f13.shaderIntegerDotProduct && p13.integerDotProduct4x8BitPackedSignedAccelerated)
    facts.features.insert("integer_dot");
}

bool hasExtension(VkPhysicalDevice device, const char *name) {
  uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> all(count);
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, all.data());
  return std::any_of(all.begin(), all.end(), [&](const auto &e) { return std::strcmp(e.extensionName, name) == 0; });
}

const char *componentName(VkComponentTypeKHR type) {
  switch (static_cast<int>(type)) { // not all are known to every header
  case 0: return "f16";
  case 1: return "f32";
  case 2: return "f64";
  case 3: return "i8";
  case 4: return "i16";
  case 5: return "i32";
  case 7: return "u8";
  case 8: return "u16";
  case 9: return "u32";
  case 1000141000: return "bf16";
  default: return "another type";
  }
}

// Asks only drivers that list the extension: others may crash.
void readMatrixUnits(VkPhysicalDevice device, DeviceFacts &facts) {
  auto ask = reinterpret_cast<PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR>(
      vkGetInstanceProcAddr(volkGetLoadedInstance(), "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
  if (!ask || !hasExtension(device, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME))
    return;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR};
  VkPhysicalDeviceVulkan12Features f12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  features.pNext = &f12;
  f12.pNext = &matrix;
  vkGetPhysicalDeviceFeatures2(device, &features);
  if (!matrix.cooperativeMatrix || !f12.vulkanMemoryModel || !f12.vulkanMemoryModelDeviceScope || !f12.shaderFloat16 ||
      facts.maxSharedBytes < 32768)
    return;
  uint32_t count = 0;
  ask(device, &count, nullptr);
  std::vector<VkCooperativeMatrixPropertiesKHR> all(count, {VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR});
  ask(device, &count, all.data());
  for (const auto &p : all)
    if (p.scope == VK_SCOPE_SUBGROUP_KHR)
      facts.matrixKinds.push_back(std::string(componentName(p.AType)) + " " + std::to_string(p.MSize) + "x" + std::to_string(p.NSize) +
                                  "x" + std::to_string(p.KSize) + " to " + componentName(p.ResultType));
  for (const auto &p : all)
    if (p.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && p.BType == p.AType && p.CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
        p.ResultType == p.CType && p.scope == VK_SCOPE_SUBGROUP_KHR)
      facts.features.insert("cooperative_matrix_f16_" + std::to_string(p.MSize) + "x" + std::to_string(p.NSize) + "x" +
                            std::to_string(p.KSize));
}

void readFeatures(VkPhysicalDevice device, bool has12, DeviceFacts &facts) {
  VkPhysicalDeviceVulkan12Features f12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDevice16BitStorageFeatures storage16{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  features.pNext = &storage16;
  if (has12)
    storage16.pNext = &f12;
  vkGetPhysicalDeviceFeatures2(device, &features);
  auto add = [&](const char *name, bool present) {
    if (present)
      facts.features.insert(name);
  };
  add("int16", features.features.shaderInt16);
  add("int64", features.features.shaderInt64);
  add("storage_16bit", storage16.storageBuffer16BitAccess);
  add("float16", f12.shaderFloat16);
  add("int8", f12.shaderInt8);
  add("storage_8bit", f12.storageBuffer8BitAccess);
}

} // namespace

DeviceFacts xfmr::vulkan::factsOf(VkPhysicalDevice device) {
  DeviceFacts facts;
  VkPhysicalDeviceProperties basic;
  vkGetPhysicalDeviceProperties(device, &basic);
  facts.name = basic.deviceName;
  facts.type = typeOf(basic.deviceType);
  facts.apiMajor = VK_API_VERSION_MAJOR(basic.apiVersion);
  facts.apiMinor = VK_API_VERSION_MINOR(basic.apiVersion);
  facts.hasComputeQueue = computeQueueFamily(device) >= 0;
  if (basic.apiVersion < VK_API_VERSION_1_1)
    return facts; // meets() refuses it; the queries below need 1.1
  bool has12 = basic.apiVersion >= VK_API_VERSION_1_2;

  VkPhysicalDeviceDriverProperties driver{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceMaintenance3Properties maintenance{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
  VkPhysicalDeviceSubgroupProperties subgroup{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  properties.pNext = &maintenance;
  maintenance.pNext = &subgroup;
  if (has12)
    subgroup.pNext = &driver;
  vkGetPhysicalDeviceProperties2(device, &properties);

  const VkPhysicalDeviceLimits &limits = properties.properties.limits;
  if (has12)
    facts.driver = std::string(driver.driverName) + " " + driver.driverInfo;
  facts.maxAllocation = maintenance.maxMemoryAllocationSize;
  facts.maxStorageBufferRange = limits.maxStorageBufferRange;
  facts.storageBufferAlignment = limits.minStorageBufferOffsetAlignment;
  facts.maxStorageBuffers = std::min(limits.maxPerStageDescriptorStorageBuffers,
                                     limits.maxDescriptorSetStorageBuffers);
  facts.maxSharedBytes = limits.maxComputeSharedMemorySize;
  facts.maxInvocations = limits.maxComputeWorkGroupInvocations;
  for (size_t i = 0; i < 3; ++i) {
    facts.maxWorkgroup[i] = limits.maxComputeWorkGroupSize[i];
    facts.maxGrid[i] = limits.maxComputeWorkGroupCount[i];
  }
  facts.subgroupSize = subgroup.subgroupSize;
  if (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) {
    const std::pair<const char *, VkSubgroupFeatureFlags> operations[] = {
        {"subgroup_arithmetic", VK_SUBGROUP_FEATURE_ARITHMETIC_BIT},
        {"subgroup_shuffle", VK_SUBGROUP_FEATURE_SHUFFLE_BIT},
        {"subgroup_ballot", VK_SUBGROUP_FEATURE_BALLOT_BIT}};
    for (auto [name, bit] : operations)
      if (subgroup.supportedOperations & bit)
        facts.features.insert(name);
    facts.features.insert("subgroup_size_" + std::to_string(subgroup.subgroupSize));
  }
  if (std::min(basic.apiVersion, volkGetInstanceVersion()) >= VK_API_VERSION_1_3) {
    readSubgroupSizeControl(device, facts);
    readMatrixUnits(device, facts);
  }
  if (bindsTexels(limits))
    facts.features.insert("texel_buffers");
  for (uint32_t invocations : {256u, 512u})
    if (std::min(facts.maxInvocations, facts.maxWorkgroup[0]) >= invocations)
      facts.features.insert("workgroup_" + std::to_string(invocations));
  if (facts.type != DeviceType::cpu && facts.type != DeviceType::other)
    facts.features.insert("gpu");
  readMemory(device, facts);
  readFeatures(device, has12, facts);
  return facts;
}
