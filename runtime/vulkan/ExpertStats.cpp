// What mixtures of experts counted on the device; see Session.h.
#include "runtime/vulkan/Session.h"
#include <cstring>

using namespace xfmr;
using namespace xfmr::vulkan;
using program::BufferKind;

Status Session::expertStats(uint32_t index, std::vector<uint32_t> &counts, std::vector<float> &weights) {
  const auto *layers = model_->program().moe_layers();
  const uint32_t known = layers ? layers->size() : 0;
  if (index >= known)
    return Status::error("mixture " + std::to_string(index) + " was asked for, the model has " +
                         std::to_string(known));
  const Buffer &stats = recording_.only(BufferKind::stats);
  if (!statsBack_.size)
    if (Status s = recording_.memory().add(stats.size, Placement::readback, "expert statistics", statsBack_);
        s.failed())
      return s;
  if (Status s = commands_.begin(copy_[1], false); s.failed())
    return s;
  fullBarrier(copy_[1]);
  VkBufferCopy copy{0, 0, stats.size};
  vkCmdCopyBuffer(copy_[1], stats.handle, statsBack_.handle, 1, &copy);
  fullBarrier(copy_[1]);
  if (Status s = commands_.end(copy_[1]); s.failed())
    return s;
  if (Status s = run({copy_[1]}); s.failed())
    return s;
  const program::MoeLayer *layer = layers->Get(index);
  const auto *bytes = static_cast<const uint8_t *>(static_cast<const void *>(statsBack_.mapped)) + layer->stats_offset();
  counts.resize(layer->num_experts());
  weights.resize(layer->num_experts());
  std::memcpy(counts.data(), bytes, 4 * counts.size());
  std::memcpy(weights.data(), bytes + 4 * counts.size(), 4 * weights.size());
  return Status::success();
}
