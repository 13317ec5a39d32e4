// The artifact reader: what it accepts, and that every kind of damage is refused with its own message.
#include "runtime/artifact/Artifact.h"
#include "test/artifact/toy/ToyModel.h"
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <unistd.h>
#include <xxhash.h>

using namespace xfmr;
using namespace xfmr::artifact;
namespace fs = std::filesystem;

namespace {

struct ArtifactReader : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("xfmr_artifact." + std::to_string(getpid()));
  std::string path = (folder / "a.xfm").string();
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  std::string read() const {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void put(const std::string &bytes) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  /// The message of open() without the leading "'PATH': ".
  std::string open() const {
    Artifact artifact;
    std::string message = Artifact::open(path, artifact).message();
    std::string prefix = "'" + path + "': ";
    return message.rfind(prefix, 0) == 0 ? message.substr(prefix.size()) : message;
  }
  /// The message after `damage` was done to the toy.
  std::string openAfter(const std::function<void(toy::Contents &)> &damage) const {
    toy::Contents contents;
    damage(contents);
    EXPECT_EQ(toy::write(path, contents).message(), "");
    return open();
  }
};

/// Makes the checksum of a changed container right again.
void rehash(std::string &bytes) {
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits(bytes.data(), bytes.size() - 16));
  std::memcpy(bytes.data() + bytes.size() - 16, &digest, 16);
}

TEST_F(ArtifactReader, OpensTheToy) {
  toy::Contents contents;
  contents.tensors["tokenizer.json"] = "{}";
  ASSERT_EQ(toy::write(path, contents).message(), "");
  Artifact artifact;
  ASSERT_EQ(Artifact::open(path, artifact).message(), "");
  EXPECT_EQ(artifact.program().vocab_size(), 16u);
  EXPECT_EQ(artifact.phase("decode")->dispatches()->size(), 3u);
  EXPECT_EQ(artifact.phase("nothing"), nullptr);
  EXPECT_EQ(artifact.bufferOfKind(program::BufferKind::logits), 5);
  EXPECT_EQ(artifact.bufferOfKind(program::BufferKind::stats), -1);
  EXPECT_EQ(artifact.text(kTokenizerTensor), "{}");
  EXPECT_EQ(artifact.text(kGenerationConfigTensor), "");
  float weight;
  std::memcpy(&weight, artifact.tensor("weight")->data, 4);
  EXPECT_EQ(weight, 3.0f);
}

TEST_F(ArtifactReader, EveryFlippedByteIsFound) {
  toy::writeOrDie(path);
  std::string good = read();
  // Every byte of the interesting parts; the header's padding is all alike, so every 61st there.
  uint64_t header;
  std::memcpy(&header, good.data(), 8);
  size_t textEnd = good.find_last_not_of(' ', 8 + header - 1) + 1;
  int accepted = 0, tried = 0;
  int fd = ::open(path.c_str(), O_RDWR);
  for (size_t at = 0; at < good.size(); at += at > textEnd && at < 8 + header ? 61 : 1) {
    char flipped = static_cast<char>(good[at] ^ (at % 2 ? 0x01 : 0x80));
    ASSERT_EQ(pwrite(fd, &flipped, 1, static_cast<off_t>(at)), 1);
    Artifact artifact;
    accepted += Artifact::open(path, artifact).ok();
    ++tried;
    ASSERT_EQ(pwrite(fd, &good[at], 1, static_cast<off_t>(at)), 1);
  }
  ::close(fd);
  EXPECT_EQ(accepted, 0);
  EXPECT_GT(tried, 5000);
  EXPECT_EQ(open(), "");
}

TEST_F(ArtifactReader, FlippedBytesUnderARightChecksumNeverCrash) {
  toy::writeOrDie(path);
  std::string good = read();
  uint64_t header;
  std::memcpy(&header, good.data(), 8);
  // The program is the first tensor: damage it and mend the checksum, so that the later checks are reached.
  for (size_t at = 8 + header; at < 8 + header + 2500; ++at)
    for (unsigned char flip : {0x01, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      rehash(bad);
      put(bad);
      open();
    }
}

TEST_F(ArtifactReader, EveryTruncationIsRefused) {
  toy::writeOrDie(path);
  std::string good = read();
  for (size_t size = 0; size < good.size(); size += size < 64 ? 1 : 97) {
    put(good.substr(0, size));
    EXPECT_NE(open(), "") << size;
  }
  put(good + "x");
  EXPECT_NE(open(), "");
}

TEST_F(ArtifactReader, AnotherVersionSaysWhichIsNeeded) {
  toy::writeOrDie(path);
  std::string bytes = read();
  size_t at = bytes.find("\"xfmr.version\":\"2\"");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 16] = '7';
  put(bytes);
  EXPECT_EQ(open(), "artifact version 7 found, this runtime needs version 2; compile the model again "
                    "with the matching xfmr-compile");
  EXPECT_EQ(openAfter([](toy::Contents &c) { c.program.version = 9; }),
            "program version 9 found, this runtime needs version 2");
}

TEST_F(ArtifactReader, PlainSafetensorsIsNoArtifact) {
  SafetensorsWriter writer;
  ASSERT_EQ(writer.declare("x", DType::u8, {1}).message(), "");
  ASSERT_EQ(writer.begin(path).message(), "");
  ASSERT_EQ(writer.append("x", 1).message(), "");
  ASSERT_EQ(writer.finish().message(), "");
  EXPECT_EQ(open(),
            "not an xfmr artifact: the metadata has no 'xfmr.version'; make one with xfmr-compile");
}

TEST_F(ArtifactReader, MissingFile) {
  EXPECT_NE(open().find("No such file or directory"), std::string::npos);
}

TEST_F(ArtifactReader, Model) {
  EXPECT_EQ(openAfter([](auto &c) { c.program.target = "cpu"; }),
            "program for target 'cpu', this runtime needs 'vulkan'");
  EXPECT_EQ(openAfter([](auto &c) { c.program.vocab_size = 0; }), "vocabulary of 0 ids");
  EXPECT_EQ(openAfter([](auto &c) { c.program.eos_tokens = {16}; }),
            "end token 16 is outside the vocabulary of 16");
}

TEST_F(ArtifactReader, Phases) {
  EXPECT_EQ(openAfter([](auto &c) { c.program.phases.pop_back(); }), "phase 'sample' is missing");
  EXPECT_EQ(openAfter([](auto &c) { c.program.phases[0]->name = "warm"; }), "unknown phase 'warm'");
  auto withFew = [](uint32_t tokens) {
    return [tokens](toy::Contents &c) {
      c.program.phases.push_back(std::make_unique<program::PhaseT>(*c.program.phases[0]));
      c.program.phases.back()->name = "prefill_few";
      c.program.phases.back()->tokens = tokens;
    };
  };
  EXPECT_EQ(openAfter(withFew(3)), "");
  EXPECT_EQ(openAfter(withFew(4)), "phase 'prefill_few' takes 4 tokens, allowed are 1 to 3, fewer than 'prefill'");
  EXPECT_EQ(openAfter(withFew(0)), "phase 'prefill_few' takes 0 tokens, allowed are 1 to 3, fewer than 'prefill'");
  EXPECT_EQ(openAfter([](auto &c) { c.program.phases[0]->name = "decode"; }),
            "phase 'decode' appears twice");
  EXPECT_EQ(openAfter([](auto &c) { c.program.phases[0]->tokens = 0; }),
            "phase 'prefill' takes 0 tokens");
}

TEST_F(ArtifactReader, Buffers) {
  EXPECT_EQ(openAfter([](auto &c) { c.program.buffers[4]->name = "other"; }),
            "weight 'other' is not in the artifact");
  EXPECT_EQ(openAfter([](auto &c) { c.weightFloats = 4; }),
            "weight 'weight' has 16 bytes, the program needs 32");
  EXPECT_EQ(openAfter([](auto &c) { c.program.buffers[6]->size = 124; }),
            "buffer 'output' has 124 bytes, needed are 128");
  EXPECT_EQ(openAfter([](auto &c) { c.program.buffers[2]->size = ~0ull; }),
            "buffer 'arena' has a size of 18446744073709551615 bytes");
  EXPECT_EQ(openAfter([](auto &c) { c.program.buffers[2]->kind = program::BufferKind::output, c.program.buffers[2]->size = 64; }),
            "buffer 'arena' has 64 bytes, needed are 128");
  EXPECT_EQ(openAfter([](auto &c) { c.program.buffers[2]->name = "cache"; }),
            "buffer 'cache' appears twice");
}

TEST_F(ArtifactReader, Kernels) {
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["kernel.embed"] = "abc"; }),
            "kernel 'embed', tensor 'kernel.embed': SPIR-V of 3 bytes");
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["kernel.embed"] = std::string(40, 'x'); }),
            "kernel 'embed', tensor 'kernel.embed': no SPIR-V: its first word is not 0x07230203");
  EXPECT_EQ(openAfter([](auto &c) { c.program.kernels[0]->variants[0]->entry = "f"; }),
            "kernel 'embed', tensor 'kernel.embed': SPIR-V has no compute entry point 'f'");
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["kernel.embed"] = toy::spirv("embed").substr(0, 24); }),
            "kernel 'embed', tensor 'kernel.embed': SPIR-V instruction at word 5 runs over the end");
  EXPECT_EQ(openAfter([](auto &c) { c.program.kernels[1]->variants[0]->tensor = "gone"; }),
            "kernel 'append': its code 'gone' is not in the artifact");
  EXPECT_EQ(openAfter([](auto &c) { c.program.kernels[1]->variants[0]->requires_ = {"x"}; }),
            "kernel 'append' has no portable variant in last place");
  EXPECT_EQ(openAfter([](auto &c) { c.program.kernels[1]->workgroup_size = {64, 64, 1}; }),
            "kernel 'append' has a workgroup larger than 1024 or empty");
}

TEST_F(ArtifactReader, Dispatches) {
  auto first = [](toy::Contents &c) -> program::DispatchT & { return *c.program.phases[0]->dispatches[0]; };
  const std::string where = "phase 'prefill', dispatch 0 'embedding': ";
  EXPECT_EQ(openAfter([&](auto &c) { first(c).kernel = 9; }), where + "kernel 9 of 4");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).bindings.pop_back(); }),
            where + "2 bindings, kernel 'embed' has 3");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).bindings[2] = program::Binding(2, 508, 16); }),
            where + "binding 2: bytes [508, +16) of buffer 'arena' with 512 bytes");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).bindings[2] = program::Binding(2, ~0ull - 7, 16); }),
            where + "binding 2: bytes [18446744073709551608, +16) of buffer 'arena' with 512 bytes");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).bindings[2] = program::Binding(2, 8, 16); }),
            where + "binding 2: offset 8 and range 16 must be multiples of 16 and 4");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).bindings[2] = program::Binding(99, 0, 16); }),
            where + "binding 2: buffer 99 of 7");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).bindings[2] = program::Binding(4, 0, 16); }),
            where + "binding 2: writes the weight 'weight'");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).push.assign(17, 0); }),
            where + "17 push words, allowed are 16");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).grid = {1, 65536, 1}; }),
            where + "grid dimension 65536, allowed are 1 to 65535");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).indirect_buffer = 2, first(c).indirect_offset = 504; }),
            where + "indirect arguments at byte 504 of buffer 'arena' with 512 bytes");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).indirect_buffer = 70; }),
            where + "indirect buffer 70 of 7");
}

} // namespace
