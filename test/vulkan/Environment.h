// The surroundings of every Vulkan test: lavapipe if it is there and nothing else was asked for, validation
// on, caches kept in the build tree.
#pragma once
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

inline void setVulkanTestEnvironment() {
  constexpr const char *kLavapipe = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
  if (::access(kLavapipe, R_OK) == 0)
    ::setenv("VK_ICD_FILENAMES", kLavapipe, /*overwrite=*/0);
  ::mkdir(XFMR_TEST_CACHE, 0700);
  ::setenv("XDG_RUNTIME_DIR", "/tmp", 0);
  ::setenv("LP_NUM_THREADS", "0", 0);
  ::setenv("MESA_SHADER_CACHE_DIR", XFMR_TEST_CACHE, 0);
  ::setenv("XDG_CACHE_HOME", XFMR_TEST_CACHE, 1);
  ::setenv("XFMR_VALIDATE", "1", 1);
}
