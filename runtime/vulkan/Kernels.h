// The compute pipelines of a program: for every kernel the variant this device can run, compiled. Kernels
// with the same number and kinds of bindings share a layout; every layout takes 16 push words.
#pragma once
#include "runtime/artifact/Artifact.h"
#include "runtime/plan/Part.h"
#include "runtime/vulkan/PipelineCache.h"
#include "runtime/vulkan/VariantChoice.h"
#include <map>

namespace xfmr::vulkan {

struct Kernel {
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkDescriptorSetLayout setLayout = VK_NULL_HANDLE;
  uint32_t bindings = 0;
  uint32_t texels = 0;  // the bindings that are such, a bit each
  uint32_t variant = 0; // index into program.Kernel.variants
};

class Kernels {
public:
  explicit Kernels(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  ~Kernels();
  Kernels(const Kernels &) = delete;
  Kernels &operator=(const Kernels &) = delete;

  /// The kernels that a part of the program for Vulkan needs, each by the variant that chooseVariant names; others have no
  /// pipeline.
  Status load(const artifact::Artifact &artifact, const plan::Part &part, const PipelineCache &cache,
              const LeftOut &leftOut = {}, const Tuned &tuned = {});
  /// One more, by a variant that the device can run.
  Status add(const artifact::Artifact &artifact, const program::Kernel &source, uint32_t variant,
             const PipelineCache &cache);
  const Kernel &at(uint32_t index) const { return kernels_[index]; }

private:
  Status layoutFor(Kernel &kernel);

  std::shared_ptr<Device> device_;
  std::vector<Kernel> kernels_;
  std::map<std::pair<uint32_t, uint32_t>, std::pair<VkDescriptorSetLayout, VkPipelineLayout>>
      layouts_; // by bindings and texels
};

} // namespace xfmr::vulkan
