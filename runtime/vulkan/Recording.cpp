// Descriptor sets and dispatch recording; see Recording.h.
#include "runtime/vulkan/Recording.h"

using namespace xfmr;
using namespace xfmr::vulkan;
using program::BufferKind;

Recording::~Recording() {
  if (pool_)
    vkDestroyDescriptorPool(model_->device()->handle(), pool_, nullptr);
}

Status Recording::create() {
  const auto &buffers = *model_->program().buffers();
  buffers_.resize(buffers.size());
  const std::vector<uint64_t> &bytes = model_->part().bytes;
  for (uint32_t i = 0; i < buffers.size(); ++i)
    if (buffers.Get(i)->kind() != BufferKind::weight)
      memory_.expect(bytes[i]);
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    if (buffers.Get(i)->kind() == BufferKind::weight) {
      buffers_[i] = model_->weight(i);
      continue;
    }
    if (!bytes[i])
      continue;
    if (Status s = memory_.add(bytes[i], Placement::device, buffers.Get(i)->name()->str(), buffers_[i]); s.failed())
      return s;
  }
  if (Status s = createPool(); s.failed())
    return s;
  for (const program::Dispatch *dispatch : plan::dispatchesOf(model_->program(), model_->part()))
    if (Status s = createSet(*dispatch); s.failed())
      return s;
  return Status::success();
}

Status Recording::createPool() {
  uint32_t sets = 0, descriptors = 0;
  for (const program::Dispatch *dispatch : plan::dispatchesOf(model_->program(), model_->part())) {
    ++sets;
    descriptors += dispatch->bindings()->size();
  }
  VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, std::max(1u, descriptors)};
  VkDescriptorPoolCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
  info.maxSets = std::max(1u, sets);
  info.poolSizeCount = 1;
  info.pPoolSizes = &size;
  return checked(vkCreateDescriptorPool(model_->device()->handle(), &info, nullptr, &pool_),
                 "create a descriptor pool");
}

Status Recording::createSet(const program::Dispatch &dispatch) {
  std::vector<uint64_t> key = {dispatch.bindings()->size()};
  std::vector<VkDescriptorBufferInfo> ranges;
  for (const program::Binding *binding : *dispatch.bindings()) {
    key.insert(key.end(), {binding->buffer(), binding->offset(), binding->range()});
    ranges.push_back({buffers_[binding->buffer()].handle, binding->offset(), binding->range()});
  }
  auto [found, isNew] = distinct_.try_emplace(std::move(key), VK_NULL_HANDLE);
  if (isNew) {
    VkDescriptorSetAllocateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
    info.descriptorPool = pool_;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &model_->kernels().at(dispatch.kernel()).setLayout;
    VkDevice device = model_->device()->handle();
    if (Status s = checked(vkAllocateDescriptorSets(device, &info, &found->second),
                           "allocate a descriptor set");
        s.failed())
      return s;
    std::vector<VkWriteDescriptorSet> writes(ranges.size());
    for (uint32_t i = 0; i < ranges.size(); ++i) {
      writes[i] = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
      writes[i].dstSet = found->second;
      writes[i].dstBinding = i;
      writes[i].descriptorCount = 1;
      writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
      writes[i].pBufferInfo = &ranges[i];
    }
    vkUpdateDescriptorSets(device, static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
  }
  sets_[&dispatch] = found->second;
  return Status::success();
}

void Recording::record(VkCommandBuffer commands, uint32_t phaseIndex, VkQueryPool timestamps) const {
  const program::Phase &phase = *model_->program().phases()->Get(phaseIndex);
  const plan::Part::Range range = model_->part().phases[phaseIndex];
  uint32_t stamp = 0;
  auto writeStamp = [&] {
    if (timestamps)
      vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, timestamps, stamp++);
  };
  fullBarrier(commands);
  writeStamp();
  const std::vector<plan::BarrierStages> stages = plan::barrierStages(phase, timestamps != VK_NULL_HANDLE);
  for (uint32_t index = range.first; index < range.end; ++index) {
    const program::Dispatch *dispatch = phase.dispatches()->Get(index);
    const Kernel &kernel = model_->kernels().at(dispatch->kernel());
    if (dispatch->barrier() || timestamps)
      dispatchBarrier(commands, stages[index]);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1,
                            &sets_.at(dispatch), 0, nullptr);
    uint32_t push[artifact::kMaxPushWords] = {};
    for (uint32_t i = 0; dispatch->push() && i < dispatch->push()->size(); ++i)
      push[i] = dispatch->push()->Get(i);
    vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
    if (dispatch->indirect_buffer() >= 0)
      vkCmdDispatchIndirect(commands, buffers_[static_cast<uint32_t>(dispatch->indirect_buffer())].handle,
                            dispatch->indirect_offset());
    else
      vkCmdDispatch(commands, dispatch->grid()->Get(0), dispatch->grid()->Get(1),
                    dispatch->grid()->Get(2));
    writeStamp();
  }
}

void Recording::clear(VkCommandBuffer commands) const {
  fullBarrier(commands);
  const auto &buffers = *model_->program().buffers();
  for (uint32_t i = 0; i < buffers.size(); ++i)
    if (buffers.Get(i)->kind() != BufferKind::weight && buffers_[i].handle)
      vkCmdFillBuffer(commands, buffers_[i].handle, 0, VK_WHOLE_SIZE, 0);
  fullBarrier(commands);
}
