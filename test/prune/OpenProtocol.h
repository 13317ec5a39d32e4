// Models, texts and a folder for repaired weights, for the tests that measure pruning.
#pragma once
#include "test/prune/Protocol.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace xfmr::prune {

inline const std::string kModels = XFMR_SOURCE_DIR "/models";
inline const std::string kShared = XFMR_SOURCE_DIR "/../shared/models"; // reference models and texts, perhaps absent

/// A folder of this process; all of them go when the tests end.
inline std::string workFolder(const std::string &name) {
  return (std::filesystem::temp_directory_path() / ("xfmr-prune-" + std::to_string(getpid()))).string() + "/" + name;
}

struct RemoveWork : ::testing::Environment {
  void TearDown() override { std::filesystem::remove_all(std::filesystem::path(workFolder("x")).parent_path()); }
};
inline const auto *removeWork = ::testing::AddGlobalTestEnvironment(new RemoveWork);

/// Null, and a failed test, where the model or a text cannot be read.
inline std::unique_ptr<Protocol> openProtocol(const std::string &model, const std::vector<std::string> &texts,
                                              bool swapped = false) {
  std::unique_ptr<Protocol> protocol;
  const std::string folder = workFolder(std::filesystem::path(model).filename().string());
  Status status = Protocol::open(model, texts, folder, swapped, protocol);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? std::move(protocol) : nullptr;
}

} // namespace xfmr::prune
