// The buffers of one session and its phases recorded into command buffers, exactly as the program says:
// the runtime adds a full barrier at the start of each phase and takes no other decision.
#pragma once
#include "runtime/vulkan/DescriptorSets.h"
#include "runtime/vulkan/Model.h"

namespace xfmr::vulkan {

class Recording {
public:
  explicit Recording(std::shared_ptr<const Model> model)
      : model_(std::move(model)), memory_(model_->device()), pool_(model_->device()) {}
  Recording(const Recording &) = delete;
  Recording &operator=(const Recording &) = delete;

  /// Creates the session's buffers and one descriptor set a distinct dispatch.
  Status create();

  /// Appends the model's part of a phase to a command buffer being recorded. With a pool of timestamps (one more than
  /// it has dispatches) every dispatch is separated by a barrier and followed by a timestamp.
  void record(VkCommandBuffer commands, uint32_t phase, VkQueryPool timestamps = VK_NULL_HANDLE) const;
  /// Zeroes every buffer of the session.
  void clear(VkCommandBuffer commands) const;

  const Buffer &buffer(uint32_t index) const { return buffers_[index]; }
  /// The only buffer of its kind.
  const Buffer &only(program::BufferKind kind) const {
    return buffers_[static_cast<size_t>(artifact::bufferOfKind(model_->program(), kind))];
  }
  Memory &memory() { return memory_; }
  const Memory &memory() const { return memory_; }

private:
  Status createPool();
  Status createSet(const program::Dispatch &dispatch);

  std::shared_ptr<const Model> model_;
  Memory memory_;
  std::vector<Buffer> buffers_;
  DescriptorSets pool_;
  std::map<std::vector<uint64_t>, VkDescriptorSet> distinct_; // by bindings and their kinds
  std::map<const program::Dispatch *, VkDescriptorSet> sets_;
};

} // namespace xfmr::vulkan
