// Shader modules, layouts and pipelines; see Kernels.h.
#include "runtime/vulkan/Kernels.h"
#include "runtime/vulkan/TexelBindings.h"
#include <cstring>

using namespace xfmr;
using namespace xfmr::vulkan;

Kernels::~Kernels() {
  for (const Kernel &kernel : kernels_)
    vkDestroyPipeline(device_->handle(), kernel.pipeline, nullptr);
  for (const auto &[bindings, layout] : layouts_) {
    vkDestroyPipelineLayout(device_->handle(), layout.second, nullptr);
    vkDestroyDescriptorSetLayout(device_->handle(), layout.first, nullptr);
  }
}

Status Kernels::layoutFor(Kernel &kernel) {
  auto [found, isNew] = layouts_.try_emplace({kernel.bindings, kernel.texels});
  auto &[set, pipeline] = found->second;
  if (isNew) {
    std::vector<VkDescriptorSetLayoutBinding> slots(kernel.bindings);
    for (uint32_t i = 0; i < kernel.bindings; ++i) {
      slots[i].binding = i;
      slots[i].descriptorType = descriptorType(kernel.texels, i);
      slots[i].descriptorCount = 1;
      slots[i].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    }
    VkDescriptorSetLayoutCreateInfo setInfo{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
    setInfo.bindingCount = kernel.bindings;
    setInfo.pBindings = slots.data();
    if (Status s = checked(vkCreateDescriptorSetLayout(device_->handle(), &setInfo, nullptr, &set),
                           "create a descriptor layout");
        s.failed())
      return s;
    VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, 4 * artifact::kMaxPushWords};
    VkPipelineLayoutCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    info.setLayoutCount = 1;
    info.pSetLayouts = &set;
    info.pushConstantRangeCount = 1;
    info.pPushConstantRanges = &push;
    if (Status s = checked(vkCreatePipelineLayout(device_->handle(), &info, nullptr, &pipeline),
                           "create a pipeline layout");
        s.failed())
      return s;
  }
  kernel.setLayout = set;
  kernel.layout = pipeline;
  return Status::success();
}

Status Kernels::load(const artifact::Artifact &artifact, const plan::Part &part, const PipelineCache &cache, const LeftOut &leftOut,
                     const Tuned &tuned) {
  const program::Program &program = *artifact.program(artifact::Target::vulkan);
  for (bool used : plan::kernelsOf(program, part)) {
    const program::Kernel &source = *program.kernels()->Get(static_cast<uint32_t>(kernels_.size()));
    const uint32_t variant = chooseVariant(source, device_->facts().features, leftOut, tuned);
    if (!used)
      kernels_.emplace_back();
    else if (Status s = add(artifact, source, variant, cache); s.failed())
      return s;
  }
  return Status::success();
}

Status Kernels::add(const artifact::Artifact &artifact, const program::Kernel &source, uint32_t index,
                    const PipelineCache &cache) {
  Kernel kernel;
  kernel.bindings = source.bindings()->size();
  kernel.variant = index;
  const program::Variant &variant = *source.variants()->Get(index);
  std::string entry = variant.entry()->str(), name = source.name()->str();
  const TensorView &code = *artifact.tensor(variant.tensor()->string_view());
  std::vector<uint32_t> words(code.byteSize / 4);
  std::memcpy(words.data(), code.data, code.byteSize);
  kernel.texels = texelBindings(words);
  if (Status status = layoutFor(kernel); status.failed())
    return status;

  VkShaderModuleCreateInfo moduleInfo{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
  moduleInfo.codeSize = code.byteSize;
  moduleInfo.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  if (Status s = checked(vkCreateShaderModule(device_->handle(), &moduleInfo, nullptr, &module),
                         "load kernel '" + name + "'");
      s.failed())
    return s;
  VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.layout = kernel.layout;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = entry.c_str();
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size{
      VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO};
  size.requiredSubgroupSize = requiredSubgroupSize(variant);
  if (size.requiredSubgroupSize && device_->facts().subgroupSizeControl) {
    info.stage.pNext = &size;
    info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
  }
  VkResult result = vkCreateComputePipelines(device_->handle(), cache.handle(), 1, &info, nullptr,
                                             &kernel.pipeline);
  vkDestroyShaderModule(device_->handle(), module, nullptr);
  if (Status s = checked(result, "compile kernel '" + name + "'"); s.failed())
    return s;
  kernels_.push_back(kernel);
  return Status::success();
}
