#include "test/codegen/TestDevice.h"
#include "runtime/vulkan/CooperativeMatrix.h"
#include "runtime/vulkan/TexelBindings.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace xfmr::codegen::test {
namespace {

constexpr size_t kSlack = 256;

void check(VkResult result, const char *what) {
  if (result == VK_SUCCESS)
    return;
  std::fprintf(stderr, "%s failed with VkResult %d\n", what, result);
  std::exit(1);
}

VKAPI_ATTR VkBool32 VKAPI_CALL report(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                      VkDebugUtilsMessageTypeFlagsEXT,
                                      const VkDebugUtilsMessengerCallbackDataEXT *data,
                                      void *user) {
  ++static_cast<TestDevice *>(user)->messages;
  std::fprintf(stderr, "validation: %s\n", data->pMessage);
  return VK_FALSE;
}

// Products of f16 that sum up in f32, as the features of a variant call them; none where the driver lacks the extension.
std::set<std::string> matrixUnits(VkInstance instance, VkPhysicalDevice device) {
  uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> extensions(count);
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, extensions.data());
  auto ask = reinterpret_cast<PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR>(
      vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
  if (!ask || std::none_of(extensions.begin(), extensions.end(), [](const auto &e) {
        return std::string(e.extensionName) == VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
      }))
    return {};
  ask(device, &count, nullptr);
  std::vector<VkCooperativeMatrixPropertiesKHR> all(count, {VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR});
  ask(device, &count, all.data());
  std::set<std::string> result;
  for (const auto &p : all)
    if (p.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && p.BType == p.AType && p.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR)
      result.insert("cooperative_matrix_f16_" + std::to_string(p.MSize) + "x" + std::to_string(p.NSize) + "x" +
                    std::to_string(p.KSize));
  return result;
}

} // namespace

TestDevice::TestDevice(bool validate) {
  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.apiVersion = VK_API_VERSION_1_3; // variants are of 1.1, but for those of matrix units
  const char *layer = "VK_LAYER_KHRONOS_validation", *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  VkDebugUtilsMessengerCreateInfoEXT messengerInfo{
      VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
  messengerInfo.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                                  VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  messengerInfo.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                              VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
  messengerInfo.pfnUserCallback = report;
  messengerInfo.pUserData = this;
  VkValidationFeatureEnableEXT synchronization =
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
  VkValidationFeaturesEXT validation{VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT};
  validation.enabledValidationFeatureCount = 1;
  validation.pEnabledValidationFeatures = &synchronization;
  validation.pNext = &messengerInfo;
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  if (validate) {
    info.pNext = &validation;
    info.enabledLayerCount = info.enabledExtensionCount = 1;
    info.ppEnabledLayerNames = &layer;
    info.ppEnabledExtensionNames = &extension;
  }
  check(vkCreateInstance(&info, nullptr, &instance), "vkCreateInstance");
  if (validate) {
    auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
        vkGetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT"));
    check(create(instance, &messengerInfo, nullptr, &messenger), "vkCreateDebugUtilsMessengerEXT");
  }
  uint32_t count = 1;
  VkResult found = vkEnumeratePhysicalDevices(instance, &count, &physical);
  check(found == VK_INCOMPLETE ? VK_SUCCESS : found, "vkEnumeratePhysicalDevices");
  vkGetPhysicalDeviceProperties(physical, &properties);
  VkPhysicalDeviceSubgroupProperties subgroup{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
  VkPhysicalDeviceProperties2 more{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  more.pNext = &subgroup;
  vkGetPhysicalDeviceProperties2(physical, &more);
  subgroupSize = subgroup.subgroupSize;
  if (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) {
    features.insert("subgroup_size_" + std::to_string(subgroup.subgroupSize));
    if (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT)
      features.insert("subgroup_shuffle");
    if (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT)
      features.insert("subgroup_arithmetic");
  }
  if (vulkan::bindsTexels(properties.limits))
    features.insert("texel_buffers");
  for (uint32_t invocations : {256u, 512u})
    if (std::min(properties.limits.maxComputeWorkGroupInvocations, properties.limits.maxComputeWorkGroupSize[0]) >= invocations)
      features.insert("workgroup_" + std::to_string(invocations));
  float priority = 1;
  VkDeviceQueueCreateInfo queueInfo{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queueInfo.queueCount = 1;
  queueInfo.pQueuePriorities = &priority;
  VkDeviceCreateInfo deviceInfo{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  VkPhysicalDeviceVulkan12Features f12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  f12.shaderFloat16 = f12.vulkanMemoryModel = f12.vulkanMemoryModelDeviceScope = VK_TRUE;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR};
  matrix.pNext = &f12;
  matrix.cooperativeMatrix = VK_TRUE;
  const char *matrixExtension = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
  if (const std::set<std::string> units = matrixUnits(instance, physical); !units.empty()) {
    features.insert(units.begin(), units.end());
    deviceInfo.pNext = &matrix;
    deviceInfo.enabledExtensionCount = 1;
    deviceInfo.ppEnabledExtensionNames = &matrixExtension;
  }
  deviceInfo.queueCreateInfoCount = 1;
  deviceInfo.pQueueCreateInfos = &queueInfo;
  check(vkCreateDevice(physical, &deviceInfo, nullptr, &device), "vkCreateDevice");
  vkGetDeviceQueue(device, 0, 0, &queue);
  VkCommandPoolCreateInfo poolInfo{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  check(vkCreateCommandPool(device, &poolInfo, nullptr, &commands), "vkCreateCommandPool");
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(physical, &memory);
  constexpr auto kWanted =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  while (memoryType < memory.memoryTypeCount &&
         (memory.memoryTypes[memoryType].propertyFlags & kWanted) != kWanted)
    ++memoryType;
}

TestDevice::~TestDevice() {
  vkDestroyCommandPool(device, commands, nullptr);
  vkDestroyDevice(device, nullptr);
  if (messenger) {
    auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
        vkGetInstanceProcAddr(instance, "vkDestroyDebugUtilsMessengerEXT"));
    destroy(instance, messenger, nullptr);
  }
  vkDestroyInstance(instance, nullptr);
}

bool TestDevice::supports(const std::vector<std::string> &wanted) const {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const auto &name) { return features.count(name) != 0; });
}

DeviceBuffer::DeviceBuffer(TestDevice &device, size_t bytes) : TestBuffer(bytes), device(device) {
  VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = bytes + kSlack;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT;
  check(vkCreateBuffer(device.device, &info, nullptr, &buffer), "vkCreateBuffer");
  VkMemoryRequirements needs;
  vkGetBufferMemoryRequirements(device.device, buffer, &needs);
  VkMemoryAllocateInfo allocation{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  allocation.allocationSize = needs.size;
  allocation.memoryTypeIndex = device.memoryType;
  check(vkAllocateMemory(device.device, &allocation, nullptr, &memory), "vkAllocateMemory");
  check(vkBindBufferMemory(device.device, buffer, memory, 0), "vkBindBufferMemory");
  check(vkMapMemory(device.device, memory, 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
  std::memset(mapped, kPattern, bytes + kSlack);
}

DeviceBuffer::~DeviceBuffer() {
  vkDestroyBuffer(device.device, buffer, nullptr);
  vkFreeMemory(device.device, memory, nullptr);
}

bool DeviceBuffer::slackIntact() const {
  auto *slack = static_cast<const uint8_t *>(mapped) + bytes;
  return std::all_of(slack, slack + kSlack, [](uint8_t byte) { return byte == kPattern; });
}

Pipeline::Pipeline(TestDevice &device, const CompiledKernel &kernel, size_t variant)
    : device(device), features(kernel.variants[variant].features),
      texels(vulkan::texelBindings(kernel.variants[variant].words)) {
  const Variant &code = kernel.variants[variant];
  VkShaderModuleCreateInfo shaderInfo{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
  shaderInfo.codeSize = code.words.size() * 4;
  shaderInfo.pCode = code.words.data();
  check(vkCreateShaderModule(device.device, &shaderInfo, nullptr, &shader), "vkCreateShaderModule");
  std::vector<VkDescriptorSetLayoutBinding> slots(kernel.bindings.size());
  for (size_t i = 0; i < slots.size(); ++i)
    slots[i] = {static_cast<uint32_t>(i), vulkan::descriptorType(texels, i), 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  VkDescriptorSetLayoutCreateInfo setInfo{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  setInfo.bindingCount = static_cast<uint32_t>(slots.size());
  setInfo.pBindings = slots.data();
  check(vkCreateDescriptorSetLayout(device.device, &setInfo, nullptr, &setLayout),
        "vkCreateDescriptorSetLayout");
  VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, 64};
  VkPipelineLayoutCreateInfo layoutInfo{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  layoutInfo.setLayoutCount = layoutInfo.pushConstantRangeCount = 1;
  layoutInfo.pSetLayouts = &setLayout;
  layoutInfo.pPushConstantRanges = &range;
  check(vkCreatePipelineLayout(device.device, &layoutInfo, nullptr, &layout),
        "vkCreatePipelineLayout");
  VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.layout = layout;
  info.stage = {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO};
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = shader;
  info.stage.pName = code.entry.c_str();
  check(vkCreateComputePipelines(device.device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline),
        "vkCreateComputePipelines");
  const auto count = static_cast<uint32_t>(slots.size());
  const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count},
                                        {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, count}};
  VkDescriptorPoolCreateInfo poolInfo{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
  poolInfo.maxSets = 1;
  poolInfo.poolSizeCount = 2;
  poolInfo.pPoolSizes = sizes;
  check(vkCreateDescriptorPool(device.device, &poolInfo, nullptr, &pool), "vkCreateDescriptorPool");
  VkDescriptorSetAllocateInfo setAllocation{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
  setAllocation.descriptorPool = pool;
  setAllocation.descriptorSetCount = 1;
  setAllocation.pSetLayouts = &setLayout;
  check(vkAllocateDescriptorSets(device.device, &setAllocation, &set), "vkAllocateDescriptorSets");
}

VkBufferView Pipeline::viewOf(VkBuffer buffer) {
  VkBufferViewCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO};
  info.buffer = buffer;
  info.format = VK_FORMAT_R32G32B32A32_UINT;
  info.range = VK_WHOLE_SIZE;
  check(vkCreateBufferView(device.device, &info, nullptr, &views.emplace_back()), "vkCreateBufferView");
  return views.back();
}

Pipeline::~Pipeline() {
  for (VkBufferView view : views)
    vkDestroyBufferView(device.device, view, nullptr);
  vkDestroyDescriptorPool(device.device, pool, nullptr);
  vkDestroyPipeline(device.device, pipeline, nullptr);
  vkDestroyPipelineLayout(device.device, layout, nullptr);
  vkDestroyDescriptorSetLayout(device.device, setLayout, nullptr);
  vkDestroyShaderModule(device.device, shader, nullptr);
}

std::string Pipeline::label() const {
  std::string result;
  for (const std::string &feature : features)
    result += (result.empty() ? "" : " ") + feature;
  return features.empty() ? "portable" : result;
}

void Pipeline::bind(const std::vector<TestBuffer *> &buffers) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    VkDescriptorBufferInfo info{static_cast<DeviceBuffer *>(buffers[i])->buffer, 0, VK_WHOLE_SIZE};
    VkWriteDescriptorSet write{VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
    write.dstSet = set;
    write.dstBinding = static_cast<uint32_t>(i);
    write.descriptorCount = 1;
    write.descriptorType = vulkan::descriptorType(texels, i);
    write.pBufferInfo = &info;
    VkBufferView view = VK_NULL_HANDLE;
    if (write.descriptorType == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER)
      view = viewOf(info.buffer);
    write.pTexelBufferView = &view;
    vkUpdateDescriptorSets(device.device, 1, &write, 0, nullptr);
  }
}

double Pipeline::run(const std::vector<uint32_t> &push, std::array<uint32_t, 3> grid,
                     unsigned times) {
  grid = foldGrid(grid, device.properties.limits.maxComputeWorkGroupCount[0]);
  VkCommandBuffer commands;
  VkCommandBufferAllocateInfo allocation{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
  allocation.commandPool = device.commands;
  allocation.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocation.commandBufferCount = 1;
  check(vkAllocateCommandBuffers(device.device, &allocation, &commands),
        "vkAllocateCommandBuffers");
  VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nullptr);
  if (!push.empty())
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       static_cast<uint32_t>(push.size() * 4), push.data());
  for (unsigned i = 0; i < times; ++i) {
    vkCmdDispatch(commands, grid[0], grid[1], grid[2]);
    VkMemoryBarrier barrier{VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                         VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier, 0, nullptr, 0,
                         nullptr);
  }
  VkMemoryBarrier toHost{VK_STRUCTURE_TYPE_MEMORY_BARRIER};
  toHost.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  toHost.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                       0, 1, &toHost, 0, nullptr, 0, nullptr);
  check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
  VkFence fence;
  VkFenceCreateInfo fenceInfo{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  check(vkCreateFence(device.device, &fenceInfo, nullptr, &fence), "vkCreateFence");
  VkSubmitInfo submit{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &commands;
  auto start = std::chrono::steady_clock::now();
  check(vkQueueSubmit(device.queue, 1, &submit, fence), "vkQueueSubmit");
  check(vkWaitForFences(device.device, 1, &fence, VK_TRUE, ~0ull), "vkWaitForFences");
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  vkDestroyFence(device.device, fence, nullptr);
  vkFreeCommandBuffers(device.device, device.commands, 1, &commands);
  return seconds;
}

} // namespace xfmr::codegen::test
