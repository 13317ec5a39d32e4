// Ticks into seconds; see Timestamps.h.
#include "runtime/vulkan/Timestamps.h"

using namespace xfmr;
using namespace xfmr::vulkan;

Timestamps::~Timestamps() {
  if (pool_)
    vkDestroyQueryPool(device_->handle(), pool_, nullptr);
}

Status Timestamps::create(uint32_t count) {
  uint32_t families = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device_->physical(), &families, nullptr);
  std::vector<VkQueueFamilyProperties> known(families);
  vkGetPhysicalDeviceQueueFamilyProperties(device_->physical(), &families, known.data());
  const uint32_t bits = known[device_->queueFamily()].timestampValidBits;
  if (bits == 0)
    return Status::error("'" + device_->facts().name + "' has no timestamps: its work cannot be timed kernel by kernel");
  mask_ = bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(device_->physical(), &properties);
  period_ = static_cast<double>(properties.limits.timestampPeriod) * 1e-9;
  VkQueryPoolCreateInfo info{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  info.queryCount = count;
  return checked(vkCreateQueryPool(device_->handle(), &info, nullptr, &pool_), "create a query pool");
}

Status Timestamps::read(uint32_t count, std::vector<double> &seconds) {
  std::vector<uint64_t> ticks(count);
  if (Status s = checked(vkGetQueryPoolResults(device_->handle(), pool_, 0, count, 8 * count, ticks.data(), 8,
                                               VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
                         "read timestamps");
      s.failed())
    return s;
  seconds.clear();
  for (uint64_t now : ticks) {
    // Step by step, since the counter may start anew.
    elapsed_ = elapsed_ < 0 ? 0 : elapsed_ + static_cast<double>((now - last_) & mask_) * period_;
    last_ = now;
    seconds.push_back(elapsed_);
  }
  return Status::success();
}
