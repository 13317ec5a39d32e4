// Every validation rule of the safetensors reader, each with a crafted file and its message, and the
// writer's promises (round trip, whole or nothing).
#include "runtime/artifact/Safetensors.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

using namespace xfmr;

namespace {

class SafetensorsTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/xfmr-safetensors-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder = name;
    path = folder + "/file.safetensors";
  }
  void TearDown() override {
    unlink(path.c_str());
    EXPECT_EQ(rmdir(folder.c_str()), 0) << "something was left in " << folder;
  }

  void writeRaw(const std::string &bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  static std::string length(uint64_t n) {
    std::string bytes;
    for (int i = 0; i < 8; ++i)
      bytes += static_cast<char>(n >> (8 * i));
    return bytes;
  }
  /// Opens a file with this header and this many data bytes; returns the message ("" = accepted).
  std::string open(const std::string &header, size_t dataBytes) {
    writeRaw(length(header.size()) + header + std::string(dataBytes, 'x'));
    return openRaw();
  }
  std::string openRaw() {
    SafetensorsFile file;
    return SafetensorsFile::open(path, file).message();
  }
  static std::string tensor(const std::string &name, const std::string &dtype,
                            const std::string &shape, uint64_t begin, uint64_t end) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
           ",\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  }

  std::string folder, path;
};

#define EXPECT_MENTIONS(message, text)                                                             \
  do {                                                                                             \
    std::string message_ = (message);                                                              \
    EXPECT_NE(message_.find(text), std::string::npos) << "message: " << message_;                  \
    EXPECT_NE(message_.find(path), std::string::npos) << "no file name: " << message_;             \
  } while (0)

TEST_F(SafetensorsTest, AcceptsValidFiles) {
  EXPECT_EQ(open("{}", 0), "");
  EXPECT_EQ(open("{}    ", 0), "");
  EXPECT_EQ(open("{\"__metadata__\":{\"format\":\"pt\"}}", 0), "");
  // Scalars and empty tensors are legal; order in the header is free; unknown fields are ignored.
  EXPECT_EQ(open("{" + tensor("b", "F32", "[2]", 4, 12) + "," + tensor("s", "F32", "[]", 0, 4) + "," +
                     tensor("e", "F64", "[0,7]", 12, 12) +
                     ",\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[12,13],"
                     "\"extra\":{\"a\":[1,{\"b\":null}]}}}",
                 13),
            "");
}

TEST_F(SafetensorsTest, FindsTensors) {
  ASSERT_EQ(open("{\"__metadata__\":{\"k\":\"v\"}," + tensor("b", "F16", "[2,3]", 1, 13) + "," +
                     tensor("a", "U8", "[1]", 0, 1) + "}",
                 13),
            "");
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::open(path, file).ok());
  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.tensors()[0].name, "a");
  const TensorView *b = file.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->dtype, DType::f16);
  EXPECT_EQ(b->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(b->byteSize, 12u);
  EXPECT_EQ(b->data - file.tensors()[0].data, 1);
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_EQ(file.metadata().at("k"), "v");
}

TEST_F(SafetensorsTest, RefusesBrokenFiles) {
  EXPECT_MENTIONS(openRaw(), "No such file");
  writeRaw("");
  EXPECT_MENTIONS(openRaw(), "it has 0 bytes, expected at least 8");
  writeRaw("1234567");
  EXPECT_MENTIONS(openRaw(), "it has 7 bytes, expected at least 8");
  writeRaw(length(0));
  EXPECT_MENTIONS(openRaw(), "does not start with");
  writeRaw(length(100000001) + "{}");
  EXPECT_MENTIONS(openRaw(), "header length 100000001 is above the limit of 100000000");
  writeRaw(length(std::numeric_limits<uint64_t>::max()) + "{}");
  EXPECT_MENTIONS(openRaw(), "above the limit");
  writeRaw(length(3) + "{}");
  EXPECT_MENTIONS(openRaw(), "header length 3 reaches past the end (10 bytes)");
  EXPECT_MENTIONS(open(" {}", 0), "does not start with");
  EXPECT_MENTIONS(open("{", 0), "not valid JSON");
  EXPECT_MENTIONS(open("{}x", 0), "not valid JSON");
  EXPECT_MENTIONS(open("{\"\xff\":{}}", 0), "not valid JSON");
  EXPECT_MENTIONS(open("{" + std::string(100000, '['), 0), "not valid JSON");
}

TEST_F(SafetensorsTest, RefusesFoldersAndPipes) {
  SafetensorsFile file;
  EXPECT_MENTIONS(SafetensorsFile::open(folder, file).message() + path, "not a regular file");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_MENTIONS(openRaw(), "not a regular file");
}

TEST_F(SafetensorsTest, RefusesDuplicateKeys) {
  std::string a = tensor("a", "U8", "[1]", 0, 1);
  EXPECT_MENTIONS(open("{" + a + "," + a + "}", 1), "duplicate key \"a\"");
  EXPECT_MENTIONS(open("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
                  "duplicate key \"__metadata__\"");
  EXPECT_MENTIONS(open("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0), "duplicate key \"k\"");
  EXPECT_MENTIONS(
      open("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1),
      "tensor \"a\": duplicate field \"dtype\"");
}

TEST_F(SafetensorsTest, RefusesWrongFields) {
  EXPECT_MENTIONS(open("{\"a\":1}", 0), "entry \"a\" is a number, expected an object");
  EXPECT_MENTIONS(open("{\"a\":[]}", 0), "entry \"a\" is an array, expected an object");
  EXPECT_MENTIONS(open("{\"__metadata__\":{\"k\":1}}", 0), "\"k\" is a number, expected a string");
  EXPECT_MENTIONS(open("{\"__metadata__\":{\"k\":{}}}", 0), "\"k\" is an object, expected a string");
  EXPECT_MENTIONS(open("{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1), "no field \"dtype\"");
  EXPECT_MENTIONS(open("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1),
                  "no field \"shape\"");
  EXPECT_MENTIONS(open("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1), "no field \"data_offsets\"");
  EXPECT_MENTIONS(open("{" + tensor("a", "F33", "[1]", 0, 4) + "}", 4),
                  "tensor \"a\": unknown dtype \"F33\"");
  EXPECT_MENTIONS(open("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1),
                  "dtype is a number, expected a string");
  EXPECT_MENTIONS(open("{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1),
                  "shape is a number, expected an array of integers");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[-1]", 0, 1) + "}", 1), "shape holds -1");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[1.5]", 0, 1) + "}", 1), "shape holds 1.5");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[[1]]", 0, 1) + "}", 1), "shape holds an array");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[18446744073709551615]", 0, 1) + "}", 1),
                  "dimension 18446744073709551615 is too large");
  EXPECT_MENTIONS(open("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1),
                  "data_offsets has 1 entries, expected 2");
  EXPECT_MENTIONS(open("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,-1]}}", 1),
                  "data_offsets holds -1");
}

TEST_F(SafetensorsTest, RefusesWrongOffsets) {
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[2]", 2, 0) + "}", 2), "end before they begin");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[1]", 1, 2) + "}", 2), "leave a gap after 0");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[2]", 0, 2) + "," + tensor("b", "U8", "[1]", 3, 4) +
                           "}",
                       4),
                  "tensor \"b\": data_offsets [3, 4) leave a gap after 2");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[2]", 0, 2) + "," + tensor("b", "U8", "[2]", 1, 3) +
                           "}",
                       3),
                  "tensor \"b\": data_offsets [1, 3) overlap the tensor before, which ends at 2");
  EXPECT_MENTIONS(open("{" + tensor("a", "F32", "[2,3]", 0, 20) + "}", 20),
                  "hold 20 bytes, expected 24 for shape [2, 3] of F32");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[4]", 0, 4) + "}", 3),
                  "reach past the data (3 bytes)");
  EXPECT_MENTIONS(open("{" + tensor("a", "U8", "[4]", 0, 4) + "}", 5),
                  "tensors end at byte 4 of the data, expected 5");
  EXPECT_MENTIONS(open("{}", 1), "tensors end at byte 0 of the data, expected 1");
  // Products that overflow, also behind a zero dimension.
  EXPECT_MENTIONS(open("{" + tensor("a", "F32", "[4294967296,4294967296]", 0, 0) + "}", 0),
                  "no whole number of bytes that fits in 64 bits");
  EXPECT_MENTIONS(open("{" + tensor("a", "F32", "[0,4294967296,4294967296]", 0, 0) + "}", 0),
                  "no whole number of bytes that fits in 64 bits");
  EXPECT_MENTIONS(open("{" + tensor("a", "F4", "[3]", 0, 1) + "}", 1), "no whole number of bytes");
  EXPECT_EQ(open("{" + tensor("a", "F6_E2M3", "[4]", 0, 3) + "}", 3), "");
}

TEST_F(SafetensorsTest, EveryTruncationIsRefused) {
  std::string header = "{" + tensor("a", "F32", "[2]", 0, 8) + "}";
  std::string whole = length(header.size()) + header + std::string(8, 'x');
  for (size_t size = 0; size < whole.size(); ++size) {
    writeRaw(whole.substr(0, size));
    EXPECT_NE(openRaw(), "") << size << " of " << whole.size() << " bytes";
  }
  writeRaw(whole);
  EXPECT_EQ(openRaw(), "");
}

TEST_F(SafetensorsTest, WriterRoundTrips) {
  const float a[3] = {1.0f, -2.0f, 0.5f};
  const uint8_t b[2] = {7, 9};
  SafetensorsWriter writer;
  ASSERT_TRUE(writer.declare("a \"quoted\"", DType::f32, {3}).ok());
  ASSERT_TRUE(writer.declare("b", DType::u8, {2, 1}).ok());
  EXPECT_TRUE(writer.declare("b", DType::u8, {2}).failed());
  EXPECT_TRUE(writer.declare("c", DType::f4, {3}).failed());
  writer.setMetadata("k", "v\n");
  ASSERT_TRUE(writer.begin(path).ok());
  ASSERT_TRUE(writer.append(a, 5).ok());
  ASSERT_TRUE(writer.append(reinterpret_cast<const char *>(a) + 5, 7).ok());
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "visible before it is complete";
  EXPECT_EQ(writer.finish().message(),
            "cannot write \"" + path + "\": 12 of 14 declared bytes were given");
  ASSERT_TRUE(writer.append(b, 2).ok());
  EXPECT_TRUE(writer.append(b, 1).failed());
  ASSERT_TRUE(writer.finish().ok());

  SafetensorsFile file;
  Status status = SafetensorsFile::open(path, file);
  ASSERT_TRUE(status.ok()) << status.message();
  const TensorView *view = file.find("a \"quoted\"");
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(std::memcmp(view->data, a, 12), 0);
  EXPECT_EQ(file.find("b")->data[1], 9);
  EXPECT_EQ(file.metadata().at("k"), "v\n");
}

TEST_F(SafetensorsTest, TensorsGrowSideBySide) {
  const float a[4] = {1, 2, 3, 4}, b[2] = {5, 6};
  SafetensorsWriter writer;
  EXPECT_EQ(writer.place(0, 0, a, 4).message(), "bytes placed before the header was written");
  ASSERT_TRUE(writer.declare("a", DType::f32, {2, 2}).ok());
  ASSERT_TRUE(writer.declare("b", DType::f32, {2, 1}).ok());
  ASSERT_TRUE(writer.begin(path).ok());
  for (size_t row = 0; row < 2; ++row) {
    ASSERT_TRUE(writer.place(0, 8 * row, a + 2 * row, 8).ok());
    ASSERT_TRUE(writer.place(1, 4 * row, b + row, row ? 0 : 4).ok());
  }
  EXPECT_EQ(writer.place(1, 4, b, 8).message(), "cannot write \"" + path + "\": 8 bytes at 4 of tensor 1, which has 8");
  EXPECT_EQ(writer.place(2, 0, b, 4).message(), "cannot write \"" + path + "\": 4 bytes at 0 of tensor 2, which has 0");
  EXPECT_EQ(writer.finish().message(), "cannot write \"" + path + "\": 20 of 24 declared bytes were given");
  ASSERT_TRUE(writer.place(1, 4, b + 1, 4).ok());
  ASSERT_TRUE(writer.finish().ok());
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::open(path, file).ok());
  EXPECT_EQ(std::memcmp(file.find("a")->data, a, 16), 0);
  EXPECT_EQ(std::memcmp(file.find("b")->data, b, 8), 0);
}

TEST_F(SafetensorsTest, AbandonedWriterLeavesNothing) {
  writeRaw("before");
  {
    SafetensorsWriter writer;
    ASSERT_TRUE(writer.declare("a", DType::u8, {4}).ok());
    ASSERT_TRUE(writer.begin(path).ok());
    ASSERT_TRUE(writer.append("ab", 2).ok());
  } // TearDown checks that the folder holds nothing else
  std::string content;
  std::ifstream(path) >> content;
  EXPECT_EQ(content, "before");
}

TEST(DType, HalfPrecisionRoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = f32FromF16(static_cast<uint16_t>(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(f32FromF16(f16FromF32(value))));
    else
      ASSERT_EQ(f16FromF32(value), bits) << value;
  }
  EXPECT_EQ(f32FromF16(0x3c00), 1.0f);
  EXPECT_EQ(f32FromF16(0x0001), std::ldexp(1.0f, -24));
  EXPECT_EQ(f16FromF32(1.0f + std::ldexp(1.0f, -11)), 0x3c00);       // tie, down to even
  EXPECT_EQ(f16FromF32(1.0f + 3 * std::ldexp(1.0f, -11)), 0x3c02);   // tie, up to even
  EXPECT_EQ(f16FromF32(std::ldexp(1.0f, -25)), 0x0000);              // tie at half a subnormal
  EXPECT_EQ(f16FromF32(std::ldexp(1.5f, -25)), 0x0001);
  EXPECT_EQ(f16FromF32(65519.0f), 0x7bff);
  EXPECT_EQ(f16FromF32(65520.0f), 0x7c00);
  EXPECT_EQ(f16FromF32(-std::numeric_limits<float>::infinity()), 0xfc00);
}

TEST(DType, BFloatRoundsToNearestEven) {
  EXPECT_EQ(bf16FromF32(1.0f), 0x3f80);
  EXPECT_EQ(bf16FromF32(1.0f + std::ldexp(1.0f, -8)), 0x3f80);
  EXPECT_EQ(bf16FromF32(1.0f + 3 * std::ldexp(1.0f, -8)), 0x3f82);
  EXPECT_EQ(bf16FromF32(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_TRUE(std::isnan(f32FromBF16(bf16FromF32(std::nanf("")))));
  EXPECT_EQ(f32FromBF16(0xc000), -2.0f);
}

} // namespace
