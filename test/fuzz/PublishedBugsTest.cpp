// Mistakes of other programs that were published, each with the file that shows it: what was read past its end, or never ended, there
// is refused here, by name. Those of servers, of RPC and of grammars have no counterpart.
#include "runtime/artifact/Gguf.h"
#include "runtime/artifact/Safetensors.h"
#include "runtime/chat/ChatTemplate.h"
#include "runtime/tokenizer/Tokenizer.h"
#include <cstring>
#include <ctime>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace xfmr;

namespace {

/// A GGUF file in pieces.
struct Bytes {
  std::string data;
  template <typename T> Bytes &number(T value) {
    data.append(reinterpret_cast<const char *>(&value), sizeof value);
    return *this;
  }
  Bytes &text(const std::string &value) {
    number<uint64_t>(value.size());
    data += value;
    return *this;
  }
  Bytes &head(uint64_t tensors, uint64_t keys) {
    data += "GGUF";
    return number<uint32_t>(3).number(tensors).number(keys);
  }
  Bytes &tensor(const std::string &name, const std::vector<uint64_t> &extents, uint32_t type, uint64_t offset) {
    text(name).number<uint32_t>(static_cast<uint32_t>(extents.size()));
    for (uint64_t extent : extents)
      number(extent);
    return number(type).number(offset);
  }
  Bytes &fill(size_t count) {
    data.append(count, '\0');
    return *this;
  }
};

class PublishedBugs : public testing::Test {
protected:
  void TearDown() override { unlink(path.c_str()); }
  void write(const std::string &data) { std::ofstream(path, std::ios::binary) << data; }
  std::string gguf(const Bytes &bytes) {
    write(bytes.data);
    GgufFile file;
    return behind(GgufFile::open(path, file), "invalid GGUF file ");
  }
  std::string safetensors(const std::string &header, size_t bytes) {
    const uint64_t length = header.size();
    write(std::string(reinterpret_cast<const char *>(&length), 8) + header + std::string(bytes, '\0'));
    SafetensorsFile file;
    return behind(SafetensorsFile::open(path, file), "invalid safetensors file ");
  }
  /// The message behind kind and name of the file.
  std::string behind(const Status &status, const std::string &kind) {
    const std::string place = kind + "\"" + path + "\": ", message = status.message();
    return message.rfind(place, 0) == 0 ? message.substr(place.size()) : message;
  }
  const std::string path = testing::TempDir() + "xfmr-published-" + std::to_string(getpid());
};

constexpr uint64_t kAll = ~uint64_t(0);

} // namespace

// llama.cpp: counts of the header multiplied by the size of a description before they are compared with the file.
TEST_F(PublishedBugs, Cve_2024_21802_21825_21836_23496_23605_CountsOfTheHeader) {
  const std::string most = "18446744073709551615";
  EXPECT_EQ(gguf(Bytes().head(kAll, 0).fill(64)),
            "counts " + most + " tensors and 0 keys, more than fit into the file");
  EXPECT_EQ(gguf(Bytes().head(0, kAll).fill(64)),
            "counts 0 tensors and " + most + " keys, more than fit into the file");
  // 2^61 + 1 values of eight bytes are eight bytes more than none.
  EXPECT_EQ(gguf(Bytes()
                     .head(0, 1)
                     .text("k")
                     .number<uint32_t>(9)
                     .number<uint32_t>(10)
                     .number<uint64_t>((uint64_t(1) << 61) + 1)
                     .fill(64)),
            "key \"k\": an array is longer than the file or nested too deeply");
  // As many as the file has bytes, in memory forty times as much.
  const uint64_t many = (1 << 24) + 1;
  EXPECT_EQ(gguf(Bytes().head(0, 1).text("k").number<uint32_t>(9).number<uint32_t>(0).number(many).fill(many)),
            "key \"k\": the arrays of the metadata have 16777217 elements by here, expected at most 16777216");
  EXPECT_EQ(gguf(Bytes().head(0, 1).number(kAll).fill(64)), "ends within key 0");
  EXPECT_EQ(gguf(Bytes().head(1, 0).text("t").number<uint32_t>(1000).fill(64)),
            "tensor \"t\" has 1000 dimensions, expected at most 4");
}

// llama.cpp: the length of a token of the vocabulary as an int32.
TEST_F(PublishedBugs, Cve_2025_49847_LengthOfAToken) {
  const auto tokens = [](uint64_t length) {
    return Bytes()
        .head(0, 1)
        .text("tokenizer.ggml.tokens")
        .number<uint32_t>(9)
        .number<uint32_t>(8)
        .number<uint64_t>(1)
        .number(length)
        .fill(64);
  };
  for (uint64_t length : {uint64_t(1) << 31, (uint64_t(1) << 32) + 1, uint64_t(1) << 63, kAll})
    EXPECT_EQ(gguf(tokens(length)), "key \"tokenizer.ggml.tokens\": the file ends within a text");
}

// llama.cpp: the sum of all tensors' sizes, and after that was mended the sum of their padded sizes, in the same function.
TEST_F(PublishedBugs, Cve_2025_53630_and_2026_27940_SumsOfSizes) {
  constexpr uint64_t kLarge = uint64_t(1) << 40;
  Bytes file;
  file.head(3, 0);
  for (uint64_t i = 0; i < 3; ++i)
    file.tensor("t" + std::to_string(i), {kLarge, 1 << 8}, 0, 0);
  EXPECT_EQ(gguf(file.fill(256)), "tensor \"t0\" runs over the end of the file");
  for (uint64_t offset : {kAll - 31, uint64_t(1) << 63})
    EXPECT_EQ(gguf(Bytes().head(1, 0).tensor("t", {32}, 0, offset).fill(256)),
              "tensor \"t\" runs over the end of the file");
  EXPECT_EQ(gguf(Bytes().head(1, 0).tensor("t", {32}, 0, kAll).fill(256)),
            "tensor \"t\" begins at 18446744073709551615, no multiple of 32");
}

// llama.cpp: the bytes of one tensor, a product that wraps around to four megabytes.
TEST_F(PublishedBugs, Cve_2026_33298_ProductOfExtents) {
  EXPECT_EQ(gguf(Bytes().head(1, 0).tensor("t", {uint64_t(1) << 40, uint64_t(1) << 40}, 0, 0).fill(256)),
            "tensor \"t\" has a dimension of 1099511627776");
  EXPECT_EQ(gguf(Bytes().head(1, 0).tensor("t", {uint64_t(1) << 62, 4}, 0, 0).fill(256)),
            "tensor \"t\" has a dimension of 4611686018427387904");
  EXPECT_EQ(gguf(Bytes().head(1, 0).tensor("t", {0, 4}, 0, 0).fill(256)), "tensor \"t\" has a dimension of 0");
  EXPECT_EQ(safetensors(R"({"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
            "tensor \"t\": shape [4294967296, 4294967296] of F32 is no whole number of bytes that fits in 64 bits");
}

// Ollama ("Bleeding Llama"): a tensor larger than the file, read as far as memory goes.
TEST_F(PublishedBugs, Cve_2026_7482_TensorsLongerThanTheFile) {
  EXPECT_EQ(gguf(Bytes().head(1, 0).tensor("t", {1 << 20}, 0, 0).fill(256)),
            "tensor \"t\" runs over the end of the file");
  EXPECT_EQ(gguf(Bytes().head(1, 0).tensor("t", {256}, 12, 0).fill(128)), "tensor \"t\" runs over the end of the file");
  EXPECT_EQ(safetensors(R"({"t":{"dtype":"F32","shape":[1048576],"data_offsets":[0,4194304]}})", 256),
            "tensor \"t\": data_offsets [0, 4194304) reach past the data (256 bytes)");
}

// ggml: an alignment that is zero, wraps around when a size is rounded up to it, or no power of two where it is used as a mask.
TEST_F(PublishedBugs, Ggml26318_Alignment) {
  const auto aligned = [](uint32_t alignment, uint64_t offset) {
    return Bytes()
        .head(1, 1)
        .text("general.alignment")
        .number<uint32_t>(4)
        .number(alignment)
        .tensor("t", {2}, 0, offset)
        .fill(128);
  };
  for (uint32_t alignment : {0u, 1u, 4u, 12u, 1u << 31, ~0u})
    EXPECT_EQ(gguf(aligned(alignment, 0)), "general.alignment is no multiple of 8");
  EXPECT_EQ(gguf(aligned(24, 32)), "tensor \"t\" begins at 32, no multiple of 24");
  EXPECT_EQ(gguf(aligned(24, 24)), ""); // rounded up by division
  EXPECT_EQ(gguf(Bytes().head(0, 1).text("general.alignment").number<uint32_t>(8).text("32")),
            "general.alignment is no multiple of 8");
}

// A key of another type than the reader takes it for, and one that stands twice.
TEST_F(PublishedBugs, TypesOfKeysAndKeysTwice) {
  Bytes twice;
  twice.head(0, 2);
  for (int i = 0; i < 2; ++i)
    twice.text("general.alignment").number<uint32_t>(4).number<uint32_t>(32);
  EXPECT_EQ(gguf(twice), "key \"general.alignment\" occurs twice");
  EXPECT_EQ(gguf(Bytes().head(0, 1).text("k").number<uint32_t>(7).number<uint8_t>(2).fill(8)),
            "key \"k\": expected a boolean of 0 or 1");
  Bytes nested;
  nested.head(0, 1).text("k").number<uint32_t>(9);
  for (int i = 0; i < 1000; ++i)
    nested.number<uint32_t>(9).number<uint64_t>(1);
  EXPECT_EQ(gguf(nested), "key \"k\": an array is longer than the file or nested too deeply");
}

// safetensors: the findings of its audit, a header of many entries, and files that are two things at once.
TEST_F(PublishedBugs, SafetensorsAudit_HolesOverlapsAndKeysTwice) {
  EXPECT_EQ(safetensors(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2),
            "tensor \"a\": data_offsets [1, 2) leave a gap after 0");
  EXPECT_EQ(
      safetensors(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
          3),
      "tensor \"b\": data_offsets [1, 3) overlap the tensor before, which ends at 2");
  EXPECT_EQ(
      safetensors(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
          1),
      "duplicate key \"a\"");
  EXPECT_EQ(safetensors("{}", 7), "tensors end at byte 0 of the data, expected 7"); // another file behind it
  std::string deep(3000000, '[');
  EXPECT_NE(safetensors("{\"a\":" + deep, 0), "");
}

TEST_F(PublishedBugs, Safetensors_ManyEntriesTakeLittleTime) {
  std::string header = "{";
  constexpr int kEntries = 100000;
  for (int i = 0; i < kEntries; ++i)
    header += (i ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  const std::clock_t begin = std::clock();
  EXPECT_EQ(safetensors(header + "}", 0), "");
  EXPECT_LT(double(std::clock() - begin) / CLOCKS_PER_SEC, 20); // 0.1 s; the square of it would be hours
}

// llama.cpp #25969: a byte token whose number is read by a function that takes a sign.
TEST(PublishedTokenizerBugs, LlamaCpp25969_SignsInByteTokens) {
  tokenizer::Tokenizer loaded;
  std::string error;
  ASSERT_TRUE(tokenizer::Tokenizer::load(
      R"({"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,)"
      R"("decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}]},)"
      R"("model":{"type":"BPE","unk_token":"?","byte_fallback":true,"vocab":{"?":0,"<0x-1>":1,"<0x41>":2,"<0x1FF>":3,"<0x+1>":4,"<0x 1>":5},"merges":[]}})",
      "", loaded, error))
      << error;
  EXPECT_EQ(loaded.decode({1}, false), "<0x-1>");
  EXPECT_EQ(loaded.decode({2}, false), "A");
  EXPECT_EQ(loaded.decode({3}, false), "<0x1FF>");
  EXPECT_EQ(loaded.decode({4}, false), "<0x+1>");
  EXPECT_EQ(loaded.decode({5}, false), "<0x 1>");
}

// llama.cpp: the number of tokens of a text compared with room as signed and unsigned. Here ids are as many as there are, and a caller
// with too little room gets the number (test/run asks the C interface that).
TEST(PublishedTokenizerBugs, Cve_2025_52566_TextsOfManyTokens) {
  tokenizer::Tokenizer loaded;
  std::string error;
  ASSERT_TRUE(tokenizer::Tokenizer::load(
      R"({"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,)"
      R"("model":{"type":"BPE","vocab":{"a":0},"merges":[]}})",
      "", loaded, error))
      << error;
  std::vector<int32_t> ids(3, -1);
  ASSERT_TRUE(loaded.encode(std::string(1000000, 'a'), false, ids, error)) << error;
  EXPECT_EQ(ids.size(), 1000000u);
}

// llama-cpp-python: a chat template that reaches the interpreter through attributes of a text.
TEST(PublishedTemplateBugs, Cve_2024_34359_AttributesOfTheInterpreter) {
  for (const char *text :
       {"{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}", "{{ self.__init__.__globals__ }}",
        "{{ messages.append.__func__.__globals__ }}"}) {
    chat::ChatTemplate loaded;
    std::string error, rendered;
    const bool runs =
        chat::ChatTemplate::load("{}", text, loaded, error) && loaded.render({{"user", "hi"}}, true, rendered, error);
    EXPECT_FALSE(runs && !rendered.empty()) << text << " gave " << rendered;
    if (!runs)
      EXPECT_NE(error, "") << text;
  }
}
