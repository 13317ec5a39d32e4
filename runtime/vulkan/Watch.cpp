// A session whose dispatches are timed one by one, by the device's clock; see engine::Memory::watch. Each phase is recorded anew
// with a barrier and a timestamp behind every dispatch, and waited for.
#include "runtime/vulkan/SessionMemory.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::vulkan;

Status SessionMemory::watch(engine::OnRan onRan) {
  onRan_ = nullptr;
  timestamps_.reset();
  if (!onRan)
    return Status::success();
  uint32_t most = 0;
  for (const program::Phase *phase : *model_->program().phases())
    most = std::max(most, phase->dispatches()->size());
  auto timestamps = std::make_unique<Timestamps>(model_->device());
  if (Status s = timestamps->create(most + 1); s.failed())
    return s;
  for (VkCommandBuffer *buffer : {&written_, &timed_})
    if (!*buffer)
      if (Status s = commands_.allocate(*buffer); s.failed())
        return s;
  timestamps_ = std::move(timestamps);
  onRan_ = std::move(onRan);
  return Status::success();
}

Status SessionMemory::submitWatched(uint32_t slot, const std::vector<engine::Step> &steps) {
  uint32_t run = 0;
  for (const engine::Step &step : steps) {
    if (!step.writes.empty()) {
      if (Status s = recordWrites(written_, step.writes); s.failed())
        return s;
      if (Status s = commands_.submit({written_}, slot); s.failed())
        return s;
      if (Status s = commands_.wait(slot); s.failed())
        return s;
    }
    for (uint32_t i = 0; i < step.repeat; ++i)
      for (uint32_t phase : step.phases)
        if (Status s = runWatched(slot, run++, phase); s.failed())
          return s;
  }
  return Status::success();
}

Status SessionMemory::runWatched(uint32_t slot, uint32_t run, uint32_t index) {
  const plan::Part::Range range = model_->part().phases[index];
  const uint32_t dispatches = range.end - range.first;
  if (Status s = commands_.begin(timed_, false); s.failed())
    return s;
  vkCmdResetQueryPool(timed_, timestamps_->pool(), 0, dispatches + 1);
  recording_.record(timed_, index, timestamps_->pool());
  if (Status s = commands_.end(timed_); s.failed())
    return s;
  if (Status s = commands_.submit({timed_}, slot); s.failed())
    return s;
  if (Status s = commands_.wait(slot); s.failed())
    return s;
  std::vector<double> times;
  if (Status s = timestamps_->read(dispatches + 1, times); s.failed())
    return s;
  for (uint32_t i = 0; i < dispatches; ++i)
    onRan_({run, index, range.first + i, times[i], times[i + 1], times[i + 1] - times[i], {}});
  return Status::success();
}
