// How memory is cut into allocations: the plan alone, and what a device then gives.
#include "runtime/vulkan/Memory.h"
#include "runtime/vulkan/MemoryPlan.h"
#include <gtest/gtest.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

constexpr uint64_t kMiB = 1 << 20, kGiB = 1 << 30;

TEST(MemoryPlan, FewLargeBlocksWithinTheLimits) {
  EXPECT_EQ(blockBytes(4 * kMiB, 100 * kMiB, 4 * kGiB), 100 * kMiB); // all that comes
  EXPECT_EQ(blockBytes(4 * kMiB, 16 * kGiB, 4 * kGiB), 2 * kGiB);    // no more than drivers are known to take
  EXPECT_EQ(blockBytes(4 * kMiB, 16 * kGiB, kGiB), kGiB);            // nor than this one says
  EXPECT_EQ(blockBytes(3 * kGiB, 3 * kGiB, 4 * kGiB), 3 * kGiB);     // but a buffer is never cut
}

TEST(MemoryPlan, AsksForLessUntilTheBufferAloneIsRefused) {
  EXPECT_EQ(afterRefusal(2 * kGiB, 700 * kMiB), kGiB);
  EXPECT_EQ(afterRefusal(kGiB, 700 * kMiB), 700 * kMiB);
  EXPECT_EQ(afterRefusal(700 * kMiB, 700 * kMiB), 0u);
}

TEST(Memory, AnnouncedBuffersShareABlock) {
  std::shared_ptr<Device> device;
  ASSERT_EQ(Device::open("0", {}, device).message(), "");
  Memory memory(device);
  Buffer buffer;
  memory.expect(20 * (kMiB + 256));
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(memory.add(kMiB, Placement::device, "b", buffer).message(), "");
  EXPECT_EQ(memory.allocations(), 1u);
  EXPECT_LT(memory.allocatedBytes(), 21 * kMiB);
  // More than was announced goes on as without it.
  ASSERT_EQ(memory.add(kMiB, Placement::device, "b", buffer).message(), "");
  EXPECT_EQ(memory.allocations(), 2u);
}

} // namespace
