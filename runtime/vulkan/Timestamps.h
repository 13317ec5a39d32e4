// Times of a device: a pool of timestamp queries, and what its numbers mean.
#pragma once
#include "runtime/vulkan/Device.h"

namespace xfmr::vulkan {

class Timestamps {
public:
  explicit Timestamps(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  ~Timestamps();
  Timestamps(const Timestamps &) = delete;
  Timestamps &operator=(const Timestamps &) = delete;

  /// Room for `count` times. Fails on a device whose queue has no timestamps.
  Status create(uint32_t count);
  VkQueryPool pool() const { return pool_; }
  /// Seconds between the first time ever read and the first `count` times of the pool, after what writes them has run.
  Status read(uint32_t count, std::vector<double> &seconds);

private:
  std::shared_ptr<Device> device_;
  VkQueryPool pool_ = VK_NULL_HANDLE;
  uint64_t mask_ = 0;   // bits that count
  double period_ = 0;   // seconds a tick
  uint64_t last_ = 0;   // ticks of the last time read
  double elapsed_ = -1; // at that time; negative: none was read
};

} // namespace xfmr::vulkan
