// Objects that are kept: found by what they are made of, never believed when damaged, made again where there is no place for them.
#include "passes/codegen/cpu/KernelBuilder.h"
#include "passes/codegen/cpu/Lower.h"
#include "passes/codegen/cpu/Object.h"
#include "runtime/artifact/CacheFile.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace xfmr::codegen::cpu::test {
namespace {
namespace fs = std::filesystem;

struct CpuObjects : ::testing::Test {
  // out[i] = factor x[i]
  std::string compile(ObjectCache &cache, float factor, Level level = Level::V3) {
    KernelBuilder k(context, "scaled", {{"state", Access::Read}, {"x", Access::Read}, {"out", Access::Write}},
                    {Element::U32, Element::F32, Element::F32}, level);
    k.tiles([&](Value tile) { k.buffer("out").store(tile * 16, k.buffer("x").load(tile * 16, 16) * factor); });
    auto module = k.finish();
    EXPECT_TRUE(bool(module)) << llvm::toString(module.takeError());
    EXPECT_FALSE(bool(lowerToLLVM(**module, level)));
    llvm::Expected<std::string> object = compileObject(**module, level, cache);
    EXPECT_TRUE(bool(object)) << llvm::toString(object.takeError());
    return std::move(*object);
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto &entry : fs::directory_iterator(folder))
      found.push_back(entry.path());
    return found;
  }
  void TearDown() override { fs::remove_all(folder); }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  fs::path folder = fs::path(testing::TempDir()) / ("xfmr_objects." + std::to_string(getpid()));
  ObjectCache none{""};
  const std::string made = compile(none, 2);
};

TEST_F(CpuObjects, FoundByWhatTheyAreMadeOf) {
  ObjectCache cache(folder);
  EXPECT_EQ(compile(cache, 2), made);
  ASSERT_EQ(files().size(), 1u);
  const fs::path first = files()[0];
  EXPECT_EQ(first.filename().string().size(), 32u);
  EXPECT_EQ(readCached(first), made);

  writeCached(first, "another"); // what lies there is what is taken
  EXPECT_EQ(compile(cache, 2), "another");
  EXPECT_NE(compile(cache, 3), "another") << "another constant";
  EXPECT_NE(compile(cache, 2, Level::V2), "another") << "another processor";
  EXPECT_EQ(files().size(), 3u);
}

TEST_F(CpuObjects, DamagedOnesAreMadeAgain) {
  ObjectCache cache(folder);
  compile(cache, 2);
  const fs::path file = files()[0];
  const auto size = fs::file_size(file);
  for (uintmax_t at : {uintmax_t(0), uintmax_t(9), size - 1}) {
    {
      std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekg(static_cast<std::streamoff>(at));
      const char changed = static_cast<char>(bytes.get() ^ 1);
      bytes.seekp(static_cast<std::streamoff>(at)).put(changed);
    }
    EXPECT_EQ(readCached(file), std::nullopt) << at;
    EXPECT_EQ(compile(cache, 2), made) << at;
    EXPECT_EQ(readCached(file), made) << "kept again, " << at;
  }
  for (uintmax_t left : {uintmax_t(0), uintmax_t(7), uintmax_t(16), size / 2}) {
    fs::resize_file(file, left);
    EXPECT_EQ(compile(cache, 2), made) << left;
  }
}

TEST_F(CpuObjects, NoPlaceForThem) {
  std::ofstream(folder.string()) << "a file"; // not a folder
  ObjectCache cache(folder);
  EXPECT_EQ(compile(cache, 2), made);
  EXPECT_EQ(fs::file_size(folder), 6u);
  ObjectCache nowhere("/proc/none/objects");
  EXPECT_EQ(compile(nowhere, 2), made);
}

TEST_F(CpuObjects, ThoseUsedLongestAgoGo) {
  const auto now = fs::file_time_type::clock::now();
  {
    ObjectCache cache(folder);
    for (float factor : {2.0f, 3.0f, 4.0f})
      compile(cache, factor);
    for (const fs::path &file : files())
      fs::last_write_time(file, now - std::chrono::hours(2));
    compile(cache, 3); // used now
  }
  const uintmax_t one = fs::file_size(files()[0]);
  ObjectCache small(folder, 2 * one + one / 2);
  compile(small, 5);
  EXPECT_EQ(files().size(), 2u);
  std::vector<std::string> left;
  for (const fs::path &file : files())
    left.push_back(*readCached(file));
  EXPECT_NE(std::find(left.begin(), left.end(), compile(none, 3)), left.end());
  EXPECT_NE(std::find(left.begin(), left.end(), compile(none, 5)), left.end());
}

} // namespace
} // namespace xfmr::codegen::cpu::test
