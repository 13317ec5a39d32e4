// Command buffers of one session, and the two ways of waiting for them.
#pragma once
#include "runtime/plan/BarrierStages.h"
#include "runtime/vulkan/Device.h"

namespace xfmr::vulkan {

class Commands {
public:
  explicit Commands(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  /// Waits for everything that was submitted.
  ~Commands();
  Commands(const Commands &) = delete;
  Commands &operator=(const Commands &) = delete;

  Status create(uint32_t fences);
  Status allocate(VkCommandBuffer &out);
  /// Starts recording (again). `reusable`: it may be pending several times at once.
  Status begin(VkCommandBuffer commands, bool reusable) const;
  Status end(VkCommandBuffer commands) const;

  /// Submits in this order; fence `slot` tells when it is done.
  Status submit(const std::vector<VkCommandBuffer> &commands, uint32_t slot);
  /// Waits until the last submission of `slot` is done; returns at once if there is none.
  Status wait(uint32_t slot);
  /// Seconds spent waiting since the last call of this function.
  double takeWaitedSeconds();
  /// Whether the device was lost on the way.
  bool lost() const { return lost_; }

private:
  std::shared_ptr<Device> device_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  std::vector<VkFence> fences_;
  std::vector<bool> pending_;
  double waited_ = 0;
  bool lost_ = false;
};

/// A barrier that orders everything on this queue: kernels, copies, indirect arguments and host reads.
void fullBarrier(VkCommandBuffer commands);
/// Between dispatches of a phase: kernel writes and reads before, kernels after; on either side the reading of indirect
/// arguments only where there is some.
void dispatchBarrier(VkCommandBuffer commands, const plan::BarrierStages &stages);

} // namespace xfmr::vulkan
