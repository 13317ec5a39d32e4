// Recording and submitting steps; see SessionMemory.h. Sessions that are watched go another way, Watch.cpp.
#include "runtime/vulkan/SessionMemory.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::vulkan;

// vkCmdUpdateBuffer takes at most 64 KiB at once.
constexpr uint64_t kUpdateBytes = 65536;

Status SessionMemory::create() {
  if (Status s = recording_.create(); s.failed())
    return s;
  if (Status s = commands_.create(engine::kSlots); s.failed())
    return s;
  for (Slot &slot : slots_)
    if (Status s = commands_.allocate(slot.copy); s.failed())
      return s;
  // Phases that every session runs are recorded now, not while the first token is waited for.
  for (uint32_t i = 0; i < model_->program().phases()->size(); ++i) {
    VkCommandBuffer made;
    if (Status s = recorded({i}, made); s.failed())
      return s;
  }
  VkCommandBuffer clear = slots_[0].copy;
  if (Status s = commands_.begin(clear, false); s.failed())
    return s;
  recording_.clear(clear);
  if (Status s = commands_.end(clear); s.failed())
    return s;
  if (Status s = commands_.submit({clear}, 0); s.failed())
    return s;
  return commands_.wait(0);
}

Status SessionMemory::recorded(const std::vector<uint32_t> &phases, VkCommandBuffer &out) {
  if (auto found = recorded_.find(phases); found != recorded_.end()) {
    out = found->second;
    return Status::success();
  }
  if (Status s = commands_.allocate(out); s.failed())
    return s;
  if (Status s = commands_.begin(out, /*reusable=*/true); s.failed())
    return s;
  for (uint32_t phase : phases)
    recording_.record(out, phase);
  if (Status s = commands_.end(out); s.failed())
    return s;
  recorded_.emplace(phases, out);
  return Status::success();
}

Status SessionMemory::recordWrites(VkCommandBuffer commands, const std::vector<engine::Write> &writes) {
  if (Status s = commands_.begin(commands, false); s.failed())
    return s;
  fullBarrier(commands);
  for (const engine::Write &write : writes)
    for (uint64_t at = 0; at < write.bytes; at += kUpdateBytes)
      vkCmdUpdateBuffer(commands, recording_.buffer(write.buffer).handle, write.offset + at,
                        std::min(kUpdateBytes, write.bytes - at), static_cast<const uint8_t *>(write.data) + at);
  return commands_.end(commands);
}

Status SessionMemory::recordReads(Slot &slot, const std::vector<engine::Range> &reads) {
  uint64_t bytes = 0;
  slot.results.clear();
  for (const engine::Range &read : reads) {
    slot.results.push_back(bytes);
    bytes += (read.bytes + 15) / 16 * 16;
  }
  if (slot.back.size < bytes) {
    slot.back = {};
    if (Status s = recording_.memory().add(bytes, Placement::readback, "results", slot.back); s.failed())
      return s;
  }
  if (Status s = commands_.begin(slot.copy, false); s.failed())
    return s;
  fullBarrier(slot.copy);
  for (size_t i = 0; i < reads.size(); ++i) {
    VkBufferCopy copy{reads[i].offset, slot.results[i], reads[i].bytes};
    vkCmdCopyBuffer(slot.copy, recording_.buffer(reads[i].buffer).handle, slot.back.handle, 1, &copy);
  }
  fullBarrier(slot.copy);
  return commands_.end(slot.copy);
}

Status SessionMemory::record(Slot &slot, const std::vector<engine::Step> &steps, std::vector<VkCommandBuffer> &list) {
  size_t updates = 0;
  for (const engine::Step &step : steps) {
    if (!step.writes.empty()) {
      if (updates == slot.updates.size()) {
        slot.updates.push_back(VK_NULL_HANDLE);
        if (Status s = commands_.allocate(slot.updates.back()); s.failed()) {
          slot.updates.pop_back();
          return s;
        }
      }
      if (Status s = recordWrites(slot.updates[updates], step.writes); s.failed())
        return s;
      list.push_back(slot.updates[updates++]);
    }
    if (step.phases.empty())
      continue;
    VkCommandBuffer phases;
    if (Status s = recorded(step.phases, phases); s.failed())
      return s;
    list.insert(list.end(), step.repeat, phases);
  }
  return Status::success();
}

Status SessionMemory::submit(uint32_t index, const std::vector<engine::Step> &steps,
                             const std::vector<engine::Range> &reads) {
  // Its command buffers are about to be recorded anew.
  if (Status s = commands_.wait(index); s.failed())
    return s;
  Slot &slot = slots_[index];
  std::vector<VkCommandBuffer> list;
  if (Status s = onRan_ ? submitWatched(index, steps) : record(slot, steps, list); s.failed())
    return s;
  if (!reads.empty()) {
    if (Status s = recordReads(slot, reads); s.failed())
      return s;
    list.push_back(slot.copy);
  }
  return commands_.submit(list, index);
}

Status SessionMemory::wait(uint32_t slot) { return commands_.wait(slot); }
