// Device time of every dispatch of a phase, by timestamps; see Session::profile.
#include "runtime/vulkan/Session.h"
#include <algorithm>

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

Status Session::profile(std::string_view phase, uint32_t tokens, const OnDispatch &onDispatch) {
  const program::Phase *found = artifact::findPhase(model_->program(), phase);
  if (!found || phase == "sample")
    return Status::error("phase '" + std::string(phase) + "' cannot be measured by itself");
  uint32_t most = phase == "prefill" || phase == "prefill_few" || phase == "all_logits" ? found->tokens() : 1;
  if (tokens < 1 || tokens > most || tokens > model_->program().max_context() - position_)
    return Status::error("phase '" + std::string(phase) + "' takes 1 to " + std::to_string(most) +
                         " tokens that fit into the context, got " + std::to_string(tokens));
  uint32_t bits = timestampBits(*model_->device());
  if (bits == 0)
    return Status::error("'" + model_->device()->facts().name + "' has no timestamps");

  uint32_t count = found->dispatches()->size() + 1;
  Timestamps timestamps(model_->device()->handle());
  if (Status s = timestamps.create(count); s.failed())
    return s;
  std::vector<int32_t> ids(tokens, 0);
  if (Status s = recordUpdate(0, runState(tokens, position_ + tokens), ids.data(), tokens); s.failed())
    return s;
  if (Status s = commands_.begin(copy_[0], false); s.failed())
    return s;
  vkCmdResetQueryPool(copy_[0], timestamps.pool, 0, count);
  recording_.record(copy_[0], phase, timestamps.pool);
  if (Status s = commands_.end(copy_[0]); s.failed())
    return s;
  if (Status s = run({update_[0], copy_[0]}); s.failed())
    return s;
  logits_ = Logits::none; // they, or the hidden rows they come from, were overwritten

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
