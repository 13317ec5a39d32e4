// Runs the tests of this program with validation and fails if the layer said anything.
#include "runtime/vulkan/Instance.h"
#include "test/vulkan/Environment.h"
#include <gtest/gtest.h>

int main(int argc, char **argv) {
  setVulkanTestEnvironment();
  testing::InitGoogleTest(&argc, argv);
  int result = RUN_ALL_TESTS();
  if (uint32_t count = xfmr::vulkan::validationMessages()) {
    std::fprintf(stderr, "%u validation messages\n", count);
    return 1;
  }
  return result;
}
