// Names and numbers of the .xfm container that its writer and its reader must agree on. The container
// is a valid safetensors file: u64 header length, JSON header padded with spaces so that the data
// starts on a page, then the tensors. The last tensor is a checksum of every byte before it.
#pragma once
#include <cstdint>

namespace xfmr::artifact {

/// Version of Program.fbs and of the container that is written. The one before is still read; docs/Formats.md says
/// when the number goes up and what an old version lacks.
constexpr uint32_t kProgramVersion = 3;
constexpr uint32_t kOldestProgramVersion = 2;
/// Metadata key that holds kProgramVersion in decimal, so that it can be read before anything else.
constexpr const char *kVersionKey = "xfmr.version";

/// What a program is for. The reader of an artifact asks for a program by it.
enum class Target : uint8_t { vulkan, cpu };
constexpr Target kTargets[] = {Target::vulkan, Target::cpu};
/// As Program.target says it, and in messages.
constexpr const char *targetName(Target target) { return target == Target::cpu ? "cpu" : "vulkan"; }

constexpr const char *kProgramTensor = "xfmr.program";        // for Vulkan
constexpr const char *kCpuProgramTensor = "xfmr.program.cpu";
constexpr const char *programTensor(Target target) {
  return target == Target::cpu ? kCpuProgramTensor : kProgramTensor;
}
constexpr const char *kCpuCodeTensor = "cpu.so";          // ELF shared object with the kernels of every level
constexpr const char *kChecksumTensor = "xfmr.checksum";  // U8 [16]: XXH3-128, canonical (big endian)
constexpr const char *kPadPrefix = "xfmr.pad.";           // explicit padding; safetensors allows no holes
constexpr const char *kSelfTestTensor = "xfmr.self_test"; // SelfTest.fbs; may be absent
constexpr const char *kProbePrefix = "probe.";            // of the buffers of probes
constexpr const char *kProbeTopSuffix = ".top";           // of those whose rows are numbers and then their columns, as many
constexpr const char *kKernelPrefix = "kernel.";          // SPIR-V words
constexpr const char *kTokenizerTensor = "tokenizer.json";
constexpr const char *kTokenizerConfigTensor = "tokenizer_config.json";
constexpr const char *kChatTemplateTensor = "chat_template.jinja"; // where it is a file of its own
// Of an encoder: how hidden states become the vector of a text, "mean normalize" (runtime/session/Pooling.h).
constexpr const char *kPoolingTensor = "xfmr.pooling";
constexpr const char *kGenerationConfigTensor = "generation_config.json";

constexpr uint64_t kPageBytes = 4096;   // alignment of the data and of tensors of at least this size
constexpr uint64_t kTensorAlign = 16;   // alignment of all other tensors, and of bindings
constexpr uint64_t kChecksumBytes = 16;

constexpr uint32_t kMaxPushWords = 16;

/// What a program of a target may ask for at most.
struct TargetLimits {
  uint32_t pushWords;
  uint32_t gridDimension;  // Vulkan: what every device allows
  uint64_t gridProduct;    // tiles of a dispatch
  uint32_t bindings;       // of a kernel
  uint32_t invocations;    // of a workgroup
};
constexpr TargetLimits limitsOf(Target target) {
  return target == Target::cpu ? TargetLimits{0, 0x7fffffff, uint64_t(1) << 40, 32, 1}
                               : TargetLimits{kMaxPushWords, 65535, ~uint64_t(0), 16, 1024};
}

/// Levels of the CPU's instruction set that kernels may be compiled for, lowest first: x86-64-v2, -v3, -v4, v4 with the
/// dot products of AVX512_VNNI and AVX512_BF16, and that with the tiles of AMX.
constexpr const char *kCpuLevels[] = {"v2", "v3", "v4", "v4_dot", "v4_amx"};
/// Those of aarch64: what every such CPU has, and that with dot products of bytes.
constexpr const char *kArmLevels[] = {"neon", "neon_dot"};

constexpr uint64_t kPanelRows = 16;
constexpr uint32_t kMaxEndTokens = 8;    // runtime/plan/State.h has room for as many
constexpr uint32_t kMinStateBytes = 128;   // runtime/plan/State.h: 32 words

/// Floats from one row of width `width` to the next.
constexpr uint64_t paddedWidth(uint64_t width) { return (width + 7) / 8 * 8; }

} // namespace xfmr::artifact
