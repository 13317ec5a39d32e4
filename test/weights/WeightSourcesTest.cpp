// Opening sources: single files, folders, sharded indexes and everything that is wrong with them.
#include "weights/WeightSources.h"
#include "TemporaryFolder.h"
#include "weights/Conversion.h"
#include <cmath>

using namespace xfmr;

namespace {

std::string openMessage(const std::string &path) {
  WeightSource source;
  return WeightSource::open(path, source).message();
}

#define EXPECT_MENTIONS(message, text)                                                             \
  do {                                                                                             \
    std::string message_ = (message);                                                              \
    EXPECT_NE(message_.find(text), std::string::npos) << "message: " << message_;                  \
  } while (0)

TEST(WeightSource, OpensFilesFoldersAndConfigurations) {
  TemporaryFolder folder;
  EXPECT_MENTIONS(openMessage(folder.path), "expected model.safetensors or");
  writeTensors(folder.file("model.safetensors"), {{"a", DType::f32, {2}, {1, 2}}});
  WeightSource source;
  ASSERT_EQ(WeightSource::open(folder.path, source).message(), "");
  ASSERT_NE(source.find("a"), nullptr);
  EXPECT_EQ(source.find("b"), nullptr);
  EXPECT_EQ(source.fileOf(*source.find("a")), folder.file("model.safetensors"));
  EXPECT_EQ(openMessage(folder.file("model.safetensors")), "");
  folder.write("config.json", "{}");
  ASSERT_EQ(WeightSource::open(folder.file("config.json"), source).message(), "");
  EXPECT_FALSE(source.hasWeights());
  EXPECT_MENTIONS(openMessage(folder.file("other.json")), "No such file");
}

class ShardedTest : public testing::Test {
protected:
  void SetUp() override {
    writeTensors(folder.file("one.safetensors"), {{"a", DType::f32, {2}, {1, 2}}});
    writeTensors(folder.file("two.safetensors"), {{"b", DType::f32, {1}, {3}}});
  }
  std::string open(const std::string &index) {
    folder.write("model.safetensors.index.json", index);
    return openMessage(folder.path);
  }
  TemporaryFolder folder;
};

TEST_F(ShardedTest, ReadsAllShards) {
  EXPECT_EQ(open(R"({"metadata":{"total_size":12},
                    "weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"), "");
  WeightSource source;
  ASSERT_TRUE(WeightSource::open(folder.path, source).ok());
  EXPECT_EQ(source.fileOf(*source.find("b")), folder.file("two.safetensors"));
}

TEST_F(ShardedTest, RefusesWhatShardsDoNotConfirm) {
  const std::string place = folder.file("model.safetensors.index.json");
  const std::string noMap = "invalid index \"" + place + "\": expected a JSON object with an object \"weight_map\"";
  EXPECT_EQ(open("[]"), noMap);
  EXPECT_EQ(open("{"), noMap);
  EXPECT_MENTIONS(open(R"({"weight_map":{}})"), "weight_map is empty");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":1}})"), "weight_map of \"a\" is not a string");
  for (const char *name : {"../one.safetensors", "x/one.safetensors", ""})
    EXPECT_MENTIONS(open(R"({"weight_map":{"a":")" + std::string(name) + R"("}})"),
                    "weight_map of \"a\" names \"" + std::string(name) + "\", expected a file of the same folder");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"three.safetensors"}})"), "No such file");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"one.safetensors","c":"one.safetensors"}})"),
                  "tensor \"c\" is not in \"" + folder.file("one.safetensors") + "\"");
}

// Writers put other sums into total_size, and more tensors into shards than they list.
TEST_F(ShardedTest, TheIndexDecides) {
  EXPECT_EQ(open(R"({"metadata":{"total_size":13},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"), "");
  EXPECT_EQ(open(R"({"metadata":{"total_size":"12"},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"), "");
  writeTensors(folder.file("two.safetensors"),
               {{"b", DType::f32, {1}, {3}}, {"x", DType::f32, {1}, {3}}, {"a", DType::f32, {2}, {8, 9}}});
  EXPECT_EQ(open(R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"), "");
  WeightSource source;
  ASSERT_TRUE(WeightSource::open(folder.path, source).ok());
  EXPECT_EQ(source.find("x"), nullptr);
  EXPECT_EQ(source.fileOf(*source.find("a")), folder.file("one.safetensors"));
  std::vector<std::string> seen;
  source.forEach([&](const TensorView &tensor) { seen.push_back(tensor.name); });
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b"}));
}

TEST(WeightSource, SaysWhatAWrongFileIs) {
  TemporaryFolder folder;
  auto opened = [&](const std::string &bytes) {
    folder.write("model.safetensors", bytes);
    return openMessage(folder.path);
  };
  EXPECT_MENTIONS(opened("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
                  "model.safetensors\": it is a git-lfs pointer, its content is missing");
  EXPECT_MENTIONS(opened("module {\n  xfmr.model @m"), "it is MLIR text");
  EXPECT_MENTIONS(opened("Once upon a time there was a dog.\n"), "it is text");
  EXPECT_MENTIONS(opened("ML\xefRxxxxxxxxx"), "it is MLIR bytecode");
  EXPECT_MENTIONS(opened("<!DOCTYPE html>"), "it is a web page");
  EXPECT_MENTIONS(opened("PK\x03\x04xxxxxxx"), "it is a zip archive");
  EXPECT_MENTIONS(opened("{\"a\": 1}"), "it is JSON text");
  EXPECT_MENTIONS(opened("GGUFxxxxxxxxxxxxxxxxxxxx"), "it is a GGUF file");
  folder.write("model.gguf", "version https://git-lfs.github.com/spec/v1\n");
  EXPECT_MENTIONS(openMessage(folder.file("model.gguf")), "expected the magic bytes GGUF, it is a git-lfs pointer");
}

TEST(WeightSources, NamesWhatIsMissing) {
  TemporaryFolder folder;
  writeTensors(folder.file("w.safetensors"), {{"a", DType::f32, {1}, {1}}});
  folder.write("config.json", "{}");
  WeightSources sources;
  ASSERT_EQ(sources.add("base", folder.file("w.safetensors")).message(), "");
  EXPECT_MENTIONS(sources.add("base", folder.file("w.safetensors")).message(), "given twice");
  ASSERT_TRUE(sources.add("shapes", folder.file("config.json")).ok());
  const TensorView *tensor = nullptr;
  EXPECT_TRUE(sources.find("base", "a", tensor).ok());
  EXPECT_MENTIONS(sources.find("base", "b", tensor).message(),
                  "no tensor \"b\" in weight source \"base\"");
  EXPECT_EQ(sources.find("other", "a", tensor).message(),
            "weight source \"other\" is not open; name it with --source other=PATH");
  EXPECT_EQ(sources.find("shapes", "a", tensor).message(),
            "weight source \"shapes\" (\"" + folder.file("config.json") +
                "\") is a configuration without weights; give a checkpoint with --source shapes=PATH");
}

TEST(WeightSources, ParsesOptions) {
  std::map<std::string, std::string> parsed;
  ASSERT_TRUE(parseSourceOptions({"base=/a=b", "x=y"}, parsed).ok());
  EXPECT_EQ(parsed, (std::map<std::string, std::string>{{"base", "/a=b"}, {"x", "y"}}));
  for (const char *wrong : {"base", "=x", "base=", ""})
    EXPECT_EQ(parseSourceOptions({wrong}, parsed).message(),
              "invalid source \"" + std::string(wrong) + "\", expected NAME=PATH");
  parsed.clear();
  EXPECT_EQ(parseSourceOptions({"base=a", "base=a"}, parsed).message(), "source \"base\" is given twice");
}

TEST(Conversion, RoundTrips) {
  const float values[5] = {0.0f, -1.5f, 3.0e-6f, 65504.0f, 0.333333f};
  for (DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    uint8_t bytes[21];
    float back[5], rounded[5];
    convertFromF32(dtype, values, 5, bytes + 1); // unaligned
    convertToF32(dtype, bytes + 1, 5, back);
    std::copy(values, values + 5, rounded);
    roundTo(dtype, rounded, 5);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(back[i], rounded[i]);
      EXPECT_NEAR(back[i], values[i], std::fabs(values[i]) * 4e-3 + 1e-7);
    }
  }
  EXPECT_TRUE(isWeightDType(DType::bf16));
  EXPECT_FALSE(isWeightDType(DType::f64));
}

} // namespace
