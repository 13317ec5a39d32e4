// A Vulkan device just large enough to run one kernel at a time, for the tests and benchmarks of
// passes/codegen: with the validation layer and synchronization validation if asked for, counting
// messages.
#pragma once
#include "passes/codegen/vulkan/Kernels.h"
#include "test/codegen/TestBuffer.h"
#include <memory>
#include <set>
#include <vulkan/vulkan.h>

namespace xfmr::codegen::test {

class TestDevice;

// A host-visible storage buffer.
class DeviceBuffer : public TestBuffer {
public:
  DeviceBuffer(TestDevice &device, size_t bytes);
  ~DeviceBuffer() override;
  bool slackIntact() const override;

  VkBuffer buffer = VK_NULL_HANDLE;

private:
  TestDevice &device;
  VkDeviceMemory memory = VK_NULL_HANDLE;
};

// A pipeline of one kernel variant with buffers bound.
class Pipeline {
public:
  Pipeline(TestDevice &device, const CompiledKernel &kernel, size_t variant = 0);
  Pipeline(const Pipeline &) = delete;
  ~Pipeline();
  void bind(const std::vector<TestBuffer *> &buffers); // DeviceBuffers
  // "portable", or what the variant requires.
  std::string label() const;
  // Runs the dispatch `times` times, a full barrier between, and waits; returns the seconds it took. A linear grid is
  // folded as the device needs it.
  double run(const std::vector<uint32_t> &push, std::array<uint32_t, 3> grid, unsigned times = 1);

private:
  VkBufferView viewOf(VkBuffer buffer);

  TestDevice &device;
  std::vector<std::string> features;
  uint32_t texels; // bindings that are such, a bit each
  std::vector<VkBufferView> views;
  VkShaderModule shader = VK_NULL_HANDLE;
  VkDescriptorSetLayout setLayout = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkDescriptorPool pool = VK_NULL_HANDLE;
  VkDescriptorSet set = VK_NULL_HANDLE;
};

class TestDevice {
public:
  explicit TestDevice(bool validate);
  ~TestDevice();
  TestDevice(const TestDevice &) = delete;
  int messages = 0; // of the validation layer so far
  bool supports(const std::vector<std::string> &features) const;
  const char *name() const { return properties.deviceName; }

  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkPhysicalDeviceProperties properties;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  VkCommandPool commands = VK_NULL_HANDLE;
  uint32_t memoryType = 0;
  uint32_t subgroupSize = 0;

private:
  std::set<std::string> features;
  VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;
};

} // namespace xfmr::codegen::test
