// Descriptor sets and dispatch recording; see Recording.h.
#include "runtime/vulkan/Recording.h"

using namespace xfmr;
using namespace xfmr::vulkan;
using program::BufferKind;

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
  return pool_.create(sets, descriptors);
}

Status Recording::createSet(const program::Dispatch &dispatch) {
  const Kernel &kernel = model_->kernels().at(dispatch.kernel());
  std::vector<uint64_t> key = {kernel.texels};
  std::vector<VkDescriptorBufferInfo> ranges;
  for (const program::Binding *binding : *dispatch.bindings()) {
    key.insert(key.end(), {binding->buffer(), binding->offset(), binding->range()});
    ranges.push_back({buffers_[binding->buffer()].handle, binding->offset(), binding->range()});
  }
  auto [found, isNew] = distinct_.try_emplace(std::move(key), VK_NULL_HANDLE);
  if (isNew)
    if (Status s = pool_.add(kernel, ranges, found->second); s.failed())
      return s;
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
