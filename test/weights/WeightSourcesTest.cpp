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
  EXPECT_MENTIONS(open("[]"), "expected a JSON object");
  EXPECT_MENTIONS(open("{"), "expected a JSON object");
  EXPECT_MENTIONS(open(R"({"weight_map":{}})"), "weight_map is empty");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":1}})"), "weight_map of \"a\" is not a string");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"../one.safetensors"}})"),
                  "expected a file of the same folder");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"x/one.safetensors"}})"),
                  "expected a file of the same folder");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":""}})"), "expected a file of the same folder");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"three.safetensors"}})"), "No such file");
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"one.safetensors","c":"one.safetensors"}})"),
                  "tensor \"c\" is not in");
  EXPECT_MENTIONS(open(R"({"metadata":{"total_size":13},
                          "weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"),
                  "total_size is 13, the shards hold 12 bytes");
  // An extra tensor, and one tensor in two shards.
  writeTensors(folder.file("two.safetensors"),
               {{"b", DType::f32, {1}, {3}}, {"x", DType::f32, {1}, {3}}});
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"),
                  "tensor \"x\" lies in");
  writeTensors(folder.file("two.safetensors"),
               {{"b", DType::f32, {1}, {3}}, {"a", DType::f32, {1}, {3}}});
  EXPECT_MENTIONS(open(R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"),
                  "the weight_map says \"one.safetensors\"");
}

TEST(WeightSources, NamesWhatIsMissing) {
  TemporaryFolder folder;
  writeTensors(folder.file("w.safetensors"), {{"a", DType::f32, {1}, {1}}});
  folder.write("config.json", "{}");
  WeightSources sources;
  ASSERT_EQ(sources.add("base", "w.safetensors", folder.path).message(), "");
  EXPECT_MENTIONS(sources.add("base", "w.safetensors", folder.path).message(), "given twice");
  ASSERT_TRUE(sources.add("shapes", folder.file("config.json")).ok());
  const TensorView *tensor = nullptr;
  EXPECT_TRUE(sources.find("base", "a", tensor).ok());
  EXPECT_MENTIONS(sources.find("base", "b", tensor).message(),
                  "no tensor \"b\" in weight source \"base\"");
  EXPECT_MENTIONS(sources.find("other", "a", tensor).message(), "--source other=PATH");
  EXPECT_MENTIONS(sources.find("shapes", "a", tensor).message(),
                  "is a configuration without weights");
}

TEST(WeightSources, ParsesOptions) {
  std::string name, path;
  ASSERT_TRUE(parseSourceOption("base=/a=b", name, path).ok());
  EXPECT_EQ(name, "base");
  EXPECT_EQ(path, "/a=b");
  for (const char *wrong : {"base", "=x", "base=", ""})
    EXPECT_TRUE(parseSourceOption(wrong, name, path).failed()) << wrong;
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
