// A session's buffers on the device. Lists of phases are recorded once, when they are first used; a submission is those
// recordings with small command buffers between them that write words, and one behind them that copies what is read.
#pragma once
#include "runtime/engine/Engine.h"
#include "runtime/vulkan/Recording.h"
#include "runtime/vulkan/Timestamps.h"

namespace xfmr::vulkan {

class SessionMemory : public engine::Memory {
public:
  explicit SessionMemory(std::shared_ptr<const Model> model)
      : model_(std::move(model)), recording_(model_), commands_(model_->device()) {}
  Status create();

  Status submit(uint32_t slot, const std::vector<engine::Step> &steps,
                const std::vector<engine::Range> &reads) override;
  Status wait(uint32_t slot) override;
  const uint8_t *result(uint32_t slot, size_t index) const override {
    return slots_[slot].back.mapped + slots_[slot].results[index];
  }
  Status watch(engine::OnRan onRan) override;
  bool lost() const override { return commands_.lost(); }
  double takeWaitedSeconds() override { return commands_.takeWaitedSeconds(); }
  uint64_t bytes() const override { return recording_.memory().allocatedBytes(); }

private:
  struct Slot {
    std::vector<VkCommandBuffer> updates; // one a step that writes, recorded anew each time
    VkCommandBuffer copy = VK_NULL_HANDLE;
    Buffer back;                          // what was read; grows
    std::vector<uint64_t> results;        // offset of each read in it
  };
  Status recordWrites(VkCommandBuffer commands, const std::vector<engine::Write> &writes);
  Status recordReads(Slot &slot, const std::vector<engine::Range> &reads);
  /// Appends the command buffers of `steps` to `list`.
  Status record(Slot &slot, const std::vector<engine::Step> &steps, std::vector<VkCommandBuffer> &list);
  Status submitWatched(uint32_t slot, const std::vector<engine::Step> &steps);
  Status runWatched(uint32_t slot, uint32_t run, uint32_t phase);
  Status recorded(const std::vector<uint32_t> &phases, VkCommandBuffer &out);

  std::shared_ptr<const Model> model_;
  Recording recording_;
  Commands commands_;
  Slot slots_[engine::kSlots];
  std::map<std::vector<uint32_t>, VkCommandBuffer> recorded_; // by phases

  // When somebody watches (Watch.cpp).
  engine::OnRan onRan_;
  std::unique_ptr<Timestamps> timestamps_;
  VkCommandBuffer written_ = VK_NULL_HANDLE, timed_ = VK_NULL_HANDLE;
};

} // namespace xfmr::vulkan
