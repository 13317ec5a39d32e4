// The pipeline cache file: written, found again, and harmless when damaged.
#include "runtime/vulkan/Model.h"
#include "test/artifact/toy/ToyModel.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::vulkan;
namespace fs = std::filesystem;

namespace {

struct CacheFile : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("xfmr_cache." + std::to_string(getpid()));
  std::string artifact = (folder / "toy.xfm").string();
  std::string before = getenv("XDG_CACHE_HOME");
  void SetUp() override {
    fs::create_directories(folder);
    setenv("XDG_CACHE_HOME", folder.c_str(), 1);
    toy::writeOrDie(artifact);
  }
  void TearDown() override {
    setenv("XDG_CACHE_HOME", before.c_str(), 1);
    fs::remove_all(folder);
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (fs::exists(folder / "xfmr"))
      for (const auto &entry : fs::directory_iterator(folder / "xfmr"))
        found.push_back(entry.path());
    return found;
  }
  std::string open() const {
    std::shared_ptr<const Model> model;
    Status status = Model::open(artifact, {}, model);
    return status.failed() ? status.message() : model->report();
  }
};

TEST_F(CacheFile, WrittenFoundAndDamaged) {
  EXPECT_NE(open().find("(new)"), std::string::npos);
  ASSERT_EQ(files().size(), 1u);
  EXPECT_NE(open().find("(found)"), std::string::npos);
  fs::path file = files()[0];
  std::string good;
  {
    std::ifstream in(file, std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(in), {});
  }
  ASSERT_GT(good.size(), 16u);
  for (size_t at : {size_t(0), size_t(9), good.size() - 1}) {
    std::string bad = good;
    bad[at] ^= 1;
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bad;
    EXPECT_NE(open().find("(new)"), std::string::npos) << at;
    EXPECT_NE(open().find("(found)"), std::string::npos) << "written again";
  }
  for (size_t size : {size_t(0), size_t(7), size_t(16), good.size() / 2}) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << good.substr(0, size);
    EXPECT_NE(open().find("(new)"), std::string::npos) << size;
  }
}

TEST_F(CacheFile, NoPlaceForIt) {
  std::ofstream(folder / "file") << "x";
  setenv("XDG_CACHE_HOME", (folder / "file").c_str(), 1);
  EXPECT_NE(open().find("pipeline cache: no place for it"), std::string::npos);
}

} // namespace
