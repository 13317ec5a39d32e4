// Command pool, fences and barriers; see Commands.h.
#include "runtime/vulkan/Commands.h"
#include <chrono>
#include <utility>

using namespace xfmr;
using namespace xfmr::vulkan;

Commands::~Commands() {
  for (uint32_t slot = 0; slot < fences_.size(); ++slot) {
    (void)wait(slot).ok();
    vkDestroyFence(device_->handle(), fences_[slot], nullptr);
  }
  if (pool_)
    vkDestroyCommandPool(device_->handle(), pool_, nullptr);
}

Status Commands::create(uint32_t fences) {
  VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  info.queueFamilyIndex = device_->queueFamily();
  if (Status status = checked(vkCreateCommandPool(device_->handle(), &info, nullptr, &pool_),
                              "create a command pool");
      status.failed())
    return status;
  for (uint32_t i = 0; i < fences; ++i) {
    VkFenceCreateInfo fenceInfo{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    if (Status status = checked(vkCreateFence(device_->handle(), &fenceInfo, nullptr, &fence),
                                "create a fence");
        status.failed())
      return status;
    fences_.push_back(fence);
    pending_.push_back(false);
  }
  return Status::success();
}

Status Commands::allocate(VkCommandBuffer &out) {
  VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
  info.commandPool = pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = 1;
  return checked(vkAllocateCommandBuffers(device_->handle(), &info, &out),
                 "allocate a command buffer");
}

Status Commands::begin(VkCommandBuffer commands, bool reusable) const {
  VkCommandBufferBeginInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  info.flags = reusable ? VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT : 0;
  return checked(vkBeginCommandBuffer(commands, &info), "record commands");
}

Status Commands::end(VkCommandBuffer commands) const {
  return checked(vkEndCommandBuffer(commands), "record commands");
}

Status Commands::submit(const std::vector<VkCommandBuffer> &commands, uint32_t slot) {
  if (Status status = wait(slot); status.failed())
    return status;
  VkResult result = device_->submit(commands, fences_[slot]);
  pending_[slot] = result == VK_SUCCESS;
  lost_ |= result == VK_ERROR_DEVICE_LOST;
  return checked(result, "submit work to '" + device_->facts().name + "'");
}

Status Commands::wait(uint32_t slot) {
  if (!pending_[slot])
    return Status::success();
  pending_[slot] = false;
  auto start = std::chrono::steady_clock::now();
  VkResult result = vkWaitForFences(device_->handle(), 1, &fences_[slot], VK_TRUE, UINT64_MAX);
  waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  lost_ |= result == VK_ERROR_DEVICE_LOST;
  if (Status status = checked(result, "wait for '" + device_->facts().name + "'"); status.failed())
    return status;
  return checked(vkResetFences(device_->handle(), 1, &fences_[slot]), "reset a fence");
}

double Commands::takeWaitedSeconds() { return std::exchange(waited_, 0); }

static void barrier(VkCommandBuffer commands, VkPipelineStageFlags before, VkAccessFlags written,
                    VkPipelineStageFlags after, VkAccessFlags used) {
  VkMemoryBarrier memory{VK_STRUCTURE_TYPE_MEMORY_BARRIER};
  memory.srcAccessMask = written;
  memory.dstAccessMask = used;
  vkCmdPipelineBarrier(commands, before, after, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

void xfmr::vulkan::fullBarrier(VkCommandBuffer commands) {
  barrier(commands,
          VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT |
              VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT,
          VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
          VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT |
              VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT | VK_PIPELINE_STAGE_HOST_BIT,
          VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT |
              VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_INDIRECT_COMMAND_READ_BIT |
              VK_ACCESS_HOST_READ_BIT);
}

void xfmr::vulkan::dispatchBarrier(VkCommandBuffer commands, const plan::BarrierStages &stages) {
  VkPipelineStageFlags before = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, after = before;
  VkAccessFlags used = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  if (stages.afterIndirect) // arguments that were read are about to be overwritten
    before |= VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
  if (stages.beforeIndirect) {
    after |= VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
    used |= VK_ACCESS_INDIRECT_COMMAND_READ_BIT;
  }
  barrier(commands, before, VK_ACCESS_SHADER_WRITE_BIT, after, used);
}
