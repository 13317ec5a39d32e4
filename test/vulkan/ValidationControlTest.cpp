// A deliberate hazard must be reported by the validation layer, and a program without its barriers must be
// refused by the hazard verifier before a device sees it.
#include "runtime/plan/Hazards.h"
#include "runtime/vulkan/Recording.h"
#include "test/artifact/toy/ToyModel.h"
#include "test/vulkan/Environment.h"
#include <gtest/gtest.h>

using namespace xfmr;
using namespace xfmr::vulkan;

TEST(ValidationControl, LayerReportsAMissingBarrier) {
  std::string path = testing::TempDir() + "control." + std::to_string(getpid()) + ".xfm";
  toy::writeOrDie(path);
  std::shared_ptr<const Model> model;
  ASSERT_EQ(Model::open(path, {}, model).message(), "");
  unlink(path.c_str());
  ASSERT_EQ(validationMessages(), 0u);

  Recording recording(model);
  ASSERT_EQ(recording.create().message(), "");
  Commands commands(model->device());
  ASSERT_EQ(commands.create(1).message(), "");
  VkCommandBuffer buffer;
  ASSERT_EQ(commands.allocate(buffer).message(), "");
  ASSERT_EQ(commands.begin(buffer, false).message(), "");
  vkCmdFillBuffer(buffer, recording.only(program::BufferKind::tokens).handle, 0, VK_WHOLE_SIZE, 0);
  vkCmdFillBuffer(buffer, recording.only(program::BufferKind::tokens).handle, 0, VK_WHOLE_SIZE, 1);
  ASSERT_EQ(commands.end(buffer).message(), "");
  EXPECT_GT(validationMessages(), 0u) << "two writes without a barrier";
}

TEST(ValidationControl, ProgramWithoutBarriersIsRefused) {
  toy::Contents contents;
  auto &phase = *contents.program->phases[3]; // decode: embedding, cache, head
  ASSERT_EQ(phase.name, "decode");
  for (auto &dispatch : phase.dispatches)
    dispatch->barrier = false;
  std::string path = testing::TempDir() + "control2." + std::to_string(getpid()) + ".xfm";
  ASSERT_EQ(toy::write(path, contents).message(), "");
  std::shared_ptr<const Model> model;
  EXPECT_EQ(Model::open(path, {}, model).message(),
            "'" + path + "': phase 'decode': dispatch 1 'cache' needs a barrier after dispatch 0 "
            "'embedding': read after write of buffer 'arena' bytes [256, 272)");
  unlink(path.c_str());
}

int main(int argc, char **argv) {
  setVulkanTestEnvironment();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
