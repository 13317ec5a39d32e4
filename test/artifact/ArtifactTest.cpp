// The artifact reader: what it accepts, and that every kind of damage is refused with its own message. Long, because every kind is a short
// test of its own over one toy artifact.
#include "runtime/artifact/Artifact.h"
#include "runtime/artifact/Panels.h"
#include "runtime/artifact/SelfTest.h"
#include "test/artifact/toy/ToyModel.h"
#include <cstring>
#include <ctime>
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
  EXPECT_EQ(findPhase(artifact.program(), "decode")->dispatches()->size(), 3u);
  EXPECT_EQ(findPhase(artifact.program(), "nothing"), nullptr);
  EXPECT_EQ(bufferOfKind(artifact.program(), program::BufferKind::logits), 5);
  EXPECT_EQ(bufferOfKind(artifact.program(), program::BufferKind::stats), -1);
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
  size_t at = bytes.find("\"xfmr.version\":\"3\"");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 16] = '7';
  put(bytes);
  EXPECT_EQ(open(), "artifact version 7 found, this runtime reads versions 2 to 3; compile the model again "
                    "with the matching xfmr-compile");
  EXPECT_EQ(openAfter([](toy::Contents &c) { c.program->version = 9; }),
            "program version 9 found, this runtime reads versions 2 to 3");
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
  EXPECT_EQ(openAfter([](auto &c) { c.program->target = "cpu"; }),
            "program for target 'cpu' in the tensor 'xfmr.program', which is for 'vulkan'");
  EXPECT_EQ(openAfter([](auto &c) { c.program->vocab_size = 0; }), "vocabulary of 0 ids");
  EXPECT_EQ(openAfter([](auto &c) { c.program->eos_tokens = {16}; }),
            "end token 16 is outside the vocabulary of 16");
}

TEST_F(ArtifactReader, Phases) {
  EXPECT_EQ(openAfter([](auto &c) { c.program->phases.pop_back(); }), "phase 'sample' is missing");
  EXPECT_EQ(openAfter([](auto &c) { c.program->phases[0]->name = "warm"; }), "unknown phase 'warm'");
  auto withFew = [](uint32_t tokens) {
    return [tokens](toy::Contents &c) {
      c.program->phases.push_back(std::make_unique<program::PhaseT>(*c.program->phases[0]));
      c.program->phases.back()->name = "prefill_few";
      c.program->phases.back()->tokens = tokens;
      for (auto &border : c.program->phases.back()->borders)
        for (program::LiveRows &live : border->live)
          live = program::LiveRows(live.buffer(), tokens, live.offset(), live.row_bytes());
    };
  };
  EXPECT_EQ(openAfter(withFew(3)), "");
  EXPECT_EQ(openAfter(withFew(4)), "phase 'prefill_few' takes 4 tokens, allowed are 1 to 3, fewer than 'prefill'");
  EXPECT_EQ(openAfter(withFew(0)), "phase 'prefill_few' takes 0 tokens, allowed are 1 to 3, fewer than 'prefill'");
  auto withSource = [](uint32_t tokens) {
    return [tokens](toy::Contents &c) {
      c.program->phases.push_back(std::make_unique<program::PhaseT>(*c.program->phases[0]));
      c.program->phases.back()->name = "encode";
      c.program->phases.back()->tokens = tokens;
    };
  };
  EXPECT_EQ(openAfter(withSource(4)), "");
  EXPECT_EQ(openAfter(withSource(0)), "phase 'encode' takes 0 tokens, allowed are 1 to the context of 32, beside a decoder");
  EXPECT_EQ(openAfter(withSource(33)), "phase 'encode' takes 33 tokens, allowed are 1 to the context of 32, beside a decoder");
  EXPECT_EQ(openAfter(withSource(8)), "buffer 'tokens' has 16 bytes, needed are 32");
  EXPECT_EQ(openAfter([](auto &c) { c.program->phases[0]->name = "decode"; }),
            "phase 'decode' appears twice");
  EXPECT_EQ(openAfter([](auto &c) { c.program->phases[0]->tokens = 0; }),
            "phase 'prefill' takes 0 tokens");
}

TEST_F(ArtifactReader, Buffers) {
  EXPECT_EQ(openAfter([](auto &c) { c.program->buffers[4]->name = "other"; }),
            "weight 'other' is not in the artifact");
  EXPECT_EQ(openAfter([](auto &c) { c.weight.resize(4); }),
            "weight 'weight' has 16 bytes, the program needs 32");
  EXPECT_EQ(openAfter([](auto &c) { c.program->buffers[6]->size = 124; }),
            "buffer 'output' has 124 bytes, needed are 128");
  EXPECT_EQ(openAfter([](auto &c) { c.program->buffers[2]->size = ~0ull; }),
            "buffer 'arena' has a size of 18446744073709551615 bytes");
  EXPECT_EQ(openAfter([](auto &c) { c.program->buffers[2]->kind = program::BufferKind::output, c.program->buffers[2]->size = 64; }),
            "buffer 'arena' has 64 bytes, needed are 128");
  EXPECT_EQ(openAfter([](auto &c) { c.program->buffers[2]->name = "cache"; }),
            "buffer 'cache' appears twice");
  auto probe = [](const char *name, uint64_t columns, uint64_t size) {
    return [=](toy::Contents &c) {
      c.program->buffers.push_back(std::make_unique<program::BufferT>());
      program::BufferT &buffer = *c.program->buffers.back();
      buffer.name = name;
      buffer.kind = program::BufferKind::probe;
      buffer.columns = columns;
      buffer.size = size;
    };
  };
  EXPECT_EQ(openAfter(probe("probe.x", 3, 128)), "");
  EXPECT_EQ(openAfter(probe("probe.x", 3, 96)), "buffer 'probe.x' has 96 bytes, needed are 128");
  EXPECT_EQ(openAfter(probe("probe.x", 0, 128)),
            "buffer 'probe.x' of a probe has 0 columns, expected 1 to 1073741824 and a name behind 'probe.'");
  EXPECT_EQ(openAfter(probe("x", 3, 128)),
            "buffer 'x' of a probe has 3 columns, expected 1 to 1073741824 and a name behind 'probe.'");
}

TEST_F(ArtifactReader, Kernels) {
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["kernel.embed"] = "abc"; }),
            "kernel 'embed': tensor 'kernel.embed': SPIR-V of 3 bytes");
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["kernel.embed"] = std::string(40, 'x'); }),
            "kernel 'embed': tensor 'kernel.embed': no SPIR-V: its first word is not 0x07230203");
  EXPECT_EQ(openAfter([](auto &c) { c.program->kernels[0]->variants[0]->entry = "f"; }),
            "kernel 'embed': tensor 'kernel.embed': SPIR-V has no compute entry point 'f'");
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["kernel.embed"] = toy::spirv("embed").substr(0, 24); }),
            "kernel 'embed': tensor 'kernel.embed': SPIR-V instruction at word 5 runs over the end");
  EXPECT_EQ(openAfter([](auto &c) { c.program->kernels[1]->variants[0]->tensor = "gone"; }),
            "kernel 'append': its code 'gone' is not in the artifact");
  EXPECT_EQ(openAfter([](auto &c) { c.program->kernels[1]->variants[0]->requires_ = {"x"}; }),
            "kernel 'append' has no portable variant in last place");
  EXPECT_EQ(openAfter([](auto &c) { c.program->kernels[1]->workgroup_size = {64, 64, 1}; }),
            "kernel 'append' has a workgroup larger than 1024 or empty");
}

// 100,000 variants of one module of a megabyte: looking at it for each would be 2.6e10 instructions, half a minute and more.
TEST_F(ArtifactReader, ManyVariantsTakeLittleTime) {
  toy::Contents contents;
  auto &variants = contents.program->kernels[0]->variants;
  const program::VariantT variant = *variants[0];
  while (variants.size() < 100000)
    variants.push_back(std::make_unique<program::VariantT>(variant));
  std::string &code = contents.tensors["kernel.embed"] = toy::spirv("embed");
  constexpr uint32_t kNop = 1 << 16;
  for (int i = 0; i < 1 << 18; ++i)
    code.append(reinterpret_cast<const char *>(&kNop), sizeof kNop);
  ASSERT_EQ(toy::write(path, contents).message(), "");
  const std::clock_t begin = std::clock();
  EXPECT_EQ(open(), "");
  EXPECT_LT(double(std::clock() - begin) / CLOCKS_PER_SEC, 10);
}

TEST_F(ArtifactReader, Dispatches) {
  auto first = [](toy::Contents &c) -> program::DispatchT & { return *c.program->phases[0]->dispatches[0]; };
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

// FlatBuffers' verifier takes structs that lie between the addresses of their numbers: reading those is undefined behaviour.
TEST_F(ArtifactReader, StructsBetweenTheirAddresses) {
  toy::writeOrDie(path);
  const std::string good = read();
  Artifact artifact;
  ASSERT_EQ(Artifact::open(path, artifact).message(), "");
  const program::Phase &phase = *artifact.program().phases()->Get(0);
  const TensorView &tensor = *artifact.tensor(kProgramTensor);
  const uint8_t *const begin = tensor.data, *const end = begin + tensor.byteSize;
  // The message when the vector of structs that `field` refers to is another one, four bytes from where one can lie.
  auto openMoved = [&](const auto &table, flatbuffers::voffset_t slot, size_t structBytes) {
    const uint8_t *const field = reinterpret_cast<const flatbuffers::Table &>(table).GetAddressOf(slot);
    const uint8_t *to = field + (8 - (field - begin) % 8) % 8;
    const auto length = [&] { return flatbuffers::ReadScalar<uint32_t>(to); };
    while (to == field || length() < 1 || length() > 3 || to + 4 + length() * structBytes > end)
      to += 8;
    std::string bytes = good;
    flatbuffers::WriteScalar(bytes.data() + (field - artifact.file().mapping().data()), static_cast<uint32_t>(to - field));
    rehash(bytes);
    put(bytes);
    std::string message = open();
    const std::string place = "byte " + std::to_string(to + 4 - begin);
    const size_t at = message.find(place);
    EXPECT_NE(at, message.npos) << message << ", expected " << place;
    return at == message.npos ? message : message.replace(at, place.size(), "byte B");
  };
  const program::Dispatch &dispatch = *phase.dispatches()->Get(0);
  EXPECT_EQ(openMoved(dispatch, program::Dispatch::VT_BINDINGS, sizeof(program::Binding)),
            "phase 'prefill', dispatch 0 'embedding': its bindings lie at byte B of the program, expected a multiple of 8");
  const program::Border &border = *phase.borders()->Get(0);
  EXPECT_EQ(openMoved(border, program::Border::VT_LIVE, sizeof(program::LiveRows)),
            "phase 'prefill', border 0: its rows lie at byte B of the program, expected a multiple of 8");
}

/// The toy for the CPU after `damage`.
TEST_F(ArtifactReader, CpuProgram) {
  auto openAfter = [&](const std::function<void(toy::Contents &)> &damage) {
    toy::Contents contents = toy::cpuContents();
    damage(contents);
    EXPECT_EQ(toy::write(path, contents).message(), "");
    return open();
  };
  EXPECT_EQ(openAfter([](auto &) {}), "");
  Artifact artifact;
  ASSERT_EQ(Artifact::open(path, artifact).message(), "");
  EXPECT_EQ(artifact.program(Target::vulkan), nullptr);
  EXPECT_EQ(artifact.program().target()->str(), "cpu");
  EXPECT_EQ(artifact.targets(), "cpu");

  auto kernel = [](toy::Contents &c) -> program::KernelT & { return *c.cpuProgram->kernels[0]; };
  auto first = [](toy::Contents &c) -> program::DispatchT & { return *c.cpuProgram->phases[0]->dispatches[0]; };
  const std::string where = "phase 'prefill', dispatch 0 'embedding': ";
  EXPECT_EQ(openAfter([&](auto &c) { first(c).grid = {70000, 3, 1}; }), "") << "grids beyond Vulkan's";
  EXPECT_EQ(openAfter([&](auto &c) { first(c).grid = {1u << 30, 1u << 30, 1}; }),
            where + "a grid of more than 1099511627776 tiles");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).grid = {0, 1, 1}; }),
            where + "grid dimension 0, allowed are 1 to 2147483647");
  EXPECT_EQ(openAfter([&](auto &c) { first(c).push = {1}; }), where + "1 push words, allowed are 0");
  EXPECT_EQ(openAfter([&](auto &c) { kernel(c).workgroup_size = {64, 1, 1}; }),
            "kernel 'embed' has a workgroup larger than 1 or empty");
  EXPECT_EQ(openAfter([&](auto &c) { kernel(c).variants[0]->requires_ = {}; }),
            "kernel 'embed': its variant 'embed.v4' must name one level: v2, v3, v4, v4_dot, v4_amx, neon or neon_dot");
  EXPECT_EQ(openAfter([&](auto &c) { kernel(c).variants[0]->requires_ = {"v9"}; }),
            "kernel 'embed': its variant 'embed.v4' must name one level: v2, v3, v4, v4_dot, v4_amx, neon or neon_dot");
  EXPECT_EQ(openAfter([&](auto &c) { kernel(c).variants[0]->tensor = "weight"; }),
            "kernel 'embed': its code is the tensor 'weight', expected 'cpu.so'");
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["cpu.so"] = "short"; }), "tensor 'cpu.so': shared object of 5 bytes");
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["cpu.so"] = std::string(100, 'x'); }),
            "tensor 'cpu.so': no shared object: it does not begin with the mark of ELF");
  EXPECT_EQ(openAfter([](auto &c) {
              c.tensors["cpu.so"] = toy::cpuCode();
              c.tensors["cpu.so"][16] = 1; // ET_REL
            }),
            "tensor 'cpu.so': no shared object for x86-64 or aarch64: ELF class 2, machine 62, type 1");
  EXPECT_EQ(openAfter([](auto &c) { c.tensors["cpu.so"] = toy::cpuCode().substr(0, 70); }),
            "tensor 'cpu.so': shared object whose " + std::to_string(toy::cpuCode()[56]) +
                " program headers run over the end");
  EXPECT_NE(openAfter([](auto &c) { c.tensors["cpu.so"] = toy::cpuCode().substr(0, 2000); }).find("runs over the end"),
            std::string::npos);
}

TEST_F(ArtifactReader, TwoProgramsOfOneModel) {
  auto openAfter = [&](const std::function<void(toy::Contents &)> &damage) {
    toy::Contents contents = toy::bothContents();
    damage(contents);
    EXPECT_EQ(toy::write(path, contents).message(), "");
    return open();
  };
  EXPECT_EQ(openAfter([](auto &) {}), "");
  Artifact artifact;
  ASSERT_EQ(Artifact::open(path, artifact).message(), "");
  EXPECT_EQ(artifact.targets(), "vulkan and cpu");
  EXPECT_EQ(artifact.program(Target::cpu)->kernels()->size(), 5u);
  EXPECT_EQ(artifact.program().target()->str(), "vulkan");
  EXPECT_EQ(openAfter([](auto &c) { c.cpuProgram->hidden_size = 2; }),
            "the programs disagree about the hidden size: 1 and 2");
  EXPECT_EQ(openAfter([](auto &c) { c.cpuProgram->max_context = 31; }),
            "the programs disagree about the context: 32 and 31");
  EXPECT_EQ(openAfter([](auto &c) { c.cpuProgram->eos_tokens = {}; }), "the programs disagree about the end tokens");
  EXPECT_EQ(openAfter([](auto &c) { c.cpuProgram->bos_token = 2; }), "the programs disagree about the begin token");
  EXPECT_EQ(openAfter([](auto &c) { c.program.reset(), c.cpuProgram.reset(); }),
            "artifact has no program: neither a tensor 'xfmr.program' nor 'xfmr.program.cpu'");
}

/// Two matrices of 18 rows and 8 columns in panels of 16 rows; element r, c of group g is 1000 g + 10 r + c.
std::vector<float> twoGroups(bool panels) {
  std::vector<float> values(panels ? 2 * 32 * 8 : 2 * 18 * 8 + 4);
  for (size_t g = 0; g < 2; ++g)
    for (size_t r = 0; r < 18; ++r)
      for (size_t c = 0; c < 8; ++c)
        values[panels ? (g * 2 + r / 16) * 128 + c * 16 + r % 16 : (g * 18 + r) * 8 + c] =
            static_cast<float>(1000 * g + 10 * r + c);
  return values;
}

void makePanels(program::BufferT &buffer, uint64_t size) {
  buffer.layout = program::Layout::panels;
  buffer.groups = 2;
  buffer.rows = 18;
  buffer.columns = 8;
  buffer.size = size;
}

TEST_F(ArtifactReader, WeightsInPanels) {
  constexpr uint64_t kPlain = 4 * (2 * 18 * 8 + 4), kPanels = 4 * 2 * 32 * 8;
  auto openAfter = [&](const std::function<void(program::BufferT &vulkan, program::BufferT &cpu)> &damage) {
    toy::Contents contents = toy::bothContents();
    contents.weight = twoGroups(true);
    makePanels(*contents.program->buffers[4], kPlain);
    makePanels(*contents.cpuProgram->buffers[4], kPanels);
    damage(*contents.program->buffers[4], *contents.cpuProgram->buffers[4]);
    EXPECT_EQ(toy::write(path, contents).message(), "");
    return open();
  };
  EXPECT_EQ(openAfter([](auto &, auto &) {}), "");
  const std::string where = "weight 'weight' in panels ";
  EXPECT_EQ(openAfter([](auto &v, auto &) { v.size = 4 * 2 * 18 * 8 - 4; }),
            where + "fills 1152 bytes, the buffer has 1148");
  EXPECT_EQ(openAfter([](auto &, auto &c) { c.size = 1152; }), where + "fills 2048 bytes, the buffer has 1152");
  EXPECT_EQ(openAfter([](auto &v, auto &) { v.rows = 33; }), "weight 'weight' has 2048 bytes, the program needs 3072");
  EXPECT_EQ(openAfter([](auto &v, auto &) { v.groups = 1; }), "weight 'weight' has 2048 bytes, the program needs 1024");
  EXPECT_EQ(openAfter([](auto &v, auto &) { v.columns = 9; }),
            where + "says 2 times 18 rows of 9 columns, which must be at least 1 and a multiple of 8");
  EXPECT_EQ(openAfter([](auto &v, auto &) { v.element = program::Element::bf16; }),
            "weight 'weight' has 2048 bytes, the program needs 1024");
  EXPECT_EQ(openAfter([](auto &v, auto &) { v.groups = ~0u, v.rows = 1u << 30, v.columns = 1u << 30; }),
            where + "is too large");
}

TEST(Panels, RowsComeOutInOrder) {
  program::BufferT table;
  table.name = "w";
  makePanels(table, 1);
  for (program::Element element : {program::Element::f32, program::Element::f16, program::Element::bf16}) {
    table.element = element;
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(program::Buffer::Pack(builder, &table));
    const auto &weight = *flatbuffers::GetRoot<program::Buffer>(builder.GetBufferPointer());
    std::vector<float> plain = twoGroups(false), in = twoGroups(true);
    auto check = [&](auto panels, auto expected) { // vectors of the element
      using Word = typename decltype(panels)::value_type;
      for (uint64_t first : {0, 1, 15, 17, 20})
        for (uint64_t count : {1, 3, 16}) {
          std::vector<Word> out(count * 8);
          copyRowsOfPanels(weight, reinterpret_cast<const uint8_t *>(panels.data()), first, count,
                           reinterpret_cast<uint8_t *>(out.data()));
          EXPECT_EQ(out, decltype(out)(expected.begin() + first * 8, expected.begin() + (first + count) * 8));
        }
    };
    if (element == program::Element::f32) {
      check(in, plain);
      continue;
    }
    std::vector<uint16_t> halves(in.size()), expected(plain.begin(), plain.end());
    for (size_t panel = 0; panel < 4; ++panel)
      for (size_t r = 0; r < 16; ++r)
        for (size_t c = 0; c < 8; ++c)
          halves[panel * 128 + (element == program::Element::f16 ? c * 16 + r : c / 2 * 32 + r * 2 + c % 2)] =
              static_cast<uint16_t>(in[panel * 128 + c * 16 + r]);
    check(halves, expected);
  }
}

// Rows of a self-test's numbers may lie on top of each other: without a bound, four words were written for hours.
TEST_F(ArtifactReader, SelfTestsThatNeverEndAreRefused) {
  const auto message = [&](uint32_t rows, uint32_t padded) {
    toy::Contents contents;
    const program::KernelT &kernel = *contents.program->kernels.front();
    selftest::SelfTestT test;
    test.cases.push_back(std::make_unique<selftest::CaseT>());
    test.cases.back()->kernel = kernel.name;
    test.cases.back()->grid = {1, 1, 1};
    for (size_t i = 0; i < kernel.bindings.size(); ++i) {
      auto buffer = std::make_unique<selftest::BufferT>();
      buffer->words = 4;
      buffer->numbers.push_back(std::make_unique<selftest::NumbersT>());
      buffer->numbers.back()->rows = rows;
      buffer->numbers.back()->padded = padded;
      test.cases.back()->buffers.push_back(std::move(buffer));
    }
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(selftest::SelfTest::Pack(builder, &test), selftest::SelfTestIdentifier());
    contents.tensors[kSelfTestTensor] = {reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize()};
    EXPECT_EQ(toy::write(path, contents).message(), "");
    Artifact artifact;
    EXPECT_EQ(Artifact::open(path, artifact).message(), "");
    const selftest::SelfTest *read = nullptr;
    return readSelfTest(artifact, read).message();
  };
  const std::string refusal = "'" + path + "': self-test of '" + toy::makeProgram().kernels.front()->name +
                              "': a buffer of 4 words that does not hold what is put there";
  EXPECT_EQ(message(1000, 4), "");
  EXPECT_EQ(message(~0u, 4), refusal);
  EXPECT_EQ(message(~0u, 0), refusal);
  EXPECT_EQ(message(1, 5), refusal);
}

// Written by version 2 of the format: test/artifact/Inputs. xfmr-run runs it in test/run/version.test.
TEST(OldVersions, VersionTwoIsRead) {
  Artifact artifact;
  ASSERT_EQ(Artifact::open(XFMR_TEST_INPUTS "/toy-v2.xfm", artifact).message(), "");
  EXPECT_EQ(artifact.file().metadata().at(kVersionKey), "2");
  EXPECT_EQ(artifact.program().version(), 2u);
  EXPECT_EQ(artifact.program().max_position(), 0u);
  EXPECT_EQ(artifact.program().buffers()->Get(4)->layout(), program::Layout::rows);
  EXPECT_EQ(artifact.targets(), "vulkan");
}

} // namespace
