// Device time of every dispatch of a phase, by timestamps; see engine::Memory::profile.
#include "runtime/vulkan/SessionMemory.h"

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

/// A pool of timestamp queries that is destroyed with its scope.
struct Timestamps {
  VkDevice device;
  VkQueryPool pool = VK_NULL_HANDLE;
  explicit Timestamps(VkDevice device) : device(device) {}
  ~Timestamps() { vkDestroyQueryPool(device, pool, nullptr); }
  Status create(uint32_t count) {
    VkQueryPoolCreateInfo info{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = count;
    return checked(vkCreateQueryPool(device, &info, nullptr, &pool), "create a query pool");
  }
};

/// Bits that count in a timestamp of this queue; 0: it has none.
uint32_t timestampBits(const Device &device) {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device.physical(), &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device.physical(), &count, families.data());
  return families[device.queueFamily()].timestampValidBits;
}

} // namespace

Status SessionMemory::profile(const engine::Step &step, const engine::OnDispatch &onDispatch) {
  const program::Phase *found = model_->program().phases()->Get(step.phases.front());
  uint32_t bits = timestampBits(*model_->device());
  if (bits == 0)
    return Status::error("'" + model_->device()->facts().name + "' has no timestamps");

  uint32_t count = found->dispatches()->size() + 1;
  Timestamps timestamps(model_->device()->handle());
  if (Status s = timestamps.create(count); s.failed())
    return s;
  // Fresh command buffers of slot 0: nothing of it is under way.
  if (Status s = commands_.wait(0); s.failed())
    return s;
  VkCommandBuffer timed = slots_[0].copy;
  if (slots_[0].updates.empty()) {
    slots_[0].updates.push_back(VK_NULL_HANDLE);
    if (Status s = commands_.allocate(slots_[0].updates.back()); s.failed()) {
      slots_[0].updates.pop_back();
      return s;
    }
  }
  if (Status s = recordWrites(slots_[0].updates[0], step.writes); s.failed())
    return s;
  if (Status s = commands_.begin(timed, false); s.failed())
    return s;
  vkCmdResetQueryPool(timed, timestamps.pool, 0, count);
  recording_.record(timed, *found, timestamps.pool);
  if (Status s = commands_.end(timed); s.failed())
    return s;
  if (Status s = commands_.submit({slots_[0].updates[0], timed}, 0); s.failed())
    return s;
  if (Status s = commands_.wait(0); s.failed())
    return s;

  std::vector<uint64_t> ticks(count);
  if (Status s = checked(vkGetQueryPoolResults(model_->device()->handle(), timestamps.pool, 0, count,
                                               8 * count, ticks.data(), 8,
                                               VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
                         "read timestamps");
      s.failed())
    return s;
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(model_->device()->physical(), &properties);
  uint64_t mask = bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  for (uint32_t i = 0; i + 1 < count; ++i) {
    const program::Dispatch &dispatch = *found->dispatches()->Get(i);
    double nanoseconds = static_cast<double>((ticks[i + 1] - ticks[i]) & mask) *
                         static_cast<double>(properties.limits.timestampPeriod);
    onDispatch(dispatch.label() ? dispatch.label()->str() : "",
               model_->program().kernels()->Get(dispatch.kernel())->name()->str(), nanoseconds * 1e-9);
  }
  return Status::success();
}
