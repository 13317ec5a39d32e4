// The container writer: layout, alignment, checksum, order errors, and that nothing is left behind.
#include "runtime/artifact/ArtifactWriter.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <xxhash.h>

using namespace xfmr;
using namespace xfmr::artifact;
namespace fs = std::filesystem;

namespace {

struct Writer : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("xfmr_writer." + std::to_string(getpid()));
  std::string path = (folder / "a.xfm").string();
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }
  size_t filesLeft() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
  }
};

#define EXPECT_FINE(expression) EXPECT_EQ((expression).message(), "")

TEST_F(Writer, LayoutAndChecksum) {
  std::vector<float> weight(1500), norm(8, 2.0f);
  for (size_t i = 0; i < weight.size(); ++i)
    weight[i] = static_cast<float>(i);
  {
    ArtifactWriter writer(path);
    EXPECT_FINE(writer.declareBytes("xfmr.program", 5));
    EXPECT_FINE(writer.declare("norm \"quoted\"", "F32", {8}));
    EXPECT_FINE(writer.declare("weight", "F32", {30, 50}));
    EXPECT_EQ(writer.declaredBytes(), 5u + 32 + 6000);
    EXPECT_FINE(writer.begin({{"producer", "test\n"}}));
    EXPECT_FINE(writer.append("hello", 5));
    EXPECT_FINE(writer.expect("norm \"quoted\""));
    EXPECT_FINE(writer.append(norm.data(), 32));
    EXPECT_FINE(writer.expect("weight"));
    EXPECT_FINE(writer.append(weight.data(), 1000));
    EXPECT_FINE(writer.append(reinterpret_cast<char *>(weight.data()) + 1000, 5000));
    EXPECT_FALSE(fs::exists(path));
    EXPECT_FINE(writer.finish());
  }
  EXPECT_EQ(filesLeft(), 1u);
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  uint64_t length;
  memcpy(&length, bytes.data(), 8);
  EXPECT_EQ((length + 8) % kPageBytes, 0u);
  auto header = nlohmann::json::parse(bytes.substr(8, length));
  EXPECT_EQ(header["__metadata__"]["xfmr.version"], std::to_string(kProgramVersion));
  EXPECT_EQ(header["__metadata__"]["producer"], "test\n");
  EXPECT_EQ(header["norm \"quoted\""]["data_offsets"][0], 16);
  EXPECT_EQ(header["weight"]["data_offsets"], (std::vector<int>{4096, 10096}));
  EXPECT_EQ(header["weight"]["shape"], (std::vector<int>{30, 50}));
  uint64_t sum = 0, end = 0;
  for (auto &[name, tensor] : header.items())
    if (name != "__metadata__") {
      sum += tensor["data_offsets"][1].get<uint64_t>() - tensor["data_offsets"][0].get<uint64_t>();
      end = std::max(end, tensor["data_offsets"][1].get<uint64_t>());
    }
  EXPECT_EQ(sum, end) << "no holes";
  EXPECT_EQ(8 + length + end, bytes.size());
  EXPECT_EQ(header["xfmr.checksum"]["data_offsets"][1], end);
  EXPECT_EQ(memcmp(bytes.data() + 8 + length + 4096, weight.data(), 6000), 0);
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits(bytes.data(), bytes.size() - 16));
  EXPECT_EQ(memcmp(&digest, bytes.data() + bytes.size() - 16, 16), 0);
}

TEST_F(Writer, NothingAppearsWithoutFinish) {
  {
    ArtifactWriter writer(path);
    EXPECT_FINE(writer.declareBytes("a", 4));
    EXPECT_FINE(writer.begin());
    EXPECT_FINE(writer.append("ab", 2));
    EXPECT_EQ(writer.finish().message(), "tensor 'a' has 4 bytes, got 2");
  }
  EXPECT_EQ(filesLeft(), 0u);
}

TEST_F(Writer, RefusesWrongOrderAndSizes) {
  ArtifactWriter writer(path);
  EXPECT_FINE(writer.declareBytes("a", 4));
  EXPECT_FINE(writer.declareBytes("b", 4));
  EXPECT_EQ(writer.declareBytes("a", 4).message(), "tensor 'a' was declared twice");
  EXPECT_EQ(writer.declare("c", "F33", {1}).message(), "tensor 'c' has the unknown dtype 'F33'");
  EXPECT_EQ(writer.declare("d", "F32", {3, 0}).message(), "tensor 'd' is empty");
  EXPECT_EQ(writer.declare("e", "F32", {1ull << 40, 1ull << 40}).message(), "tensor 'e' is too large");
  EXPECT_EQ(writer.declareBytes("xfmr.pad.0", 4).message(), "tensor name 'xfmr.pad.0' is reserved");
  EXPECT_FINE(writer.begin());
  EXPECT_EQ(writer.append("hello", 5).message(), "tensor 'a' has 4 bytes, got 5");
  EXPECT_EQ(writer.expect("b").message(), "tensor 'b' comes out of order: byte 0 of 'a' is next");
  EXPECT_FINE(writer.append("aaaa", 4));
  EXPECT_FINE(writer.append("bbbb", 4));
  EXPECT_EQ(writer.append("c", 1).message(), "1 bytes were appended after the last declared tensor");
}

TEST_F(Writer, MissingFolder) {
  ArtifactWriter writer((folder / "no" / "a.xfm").string());
  EXPECT_FINE(writer.declareBytes("a", 4));
  EXPECT_NE(writer.begin().message().find("No such file or directory"), std::string::npos);
}

} // namespace
