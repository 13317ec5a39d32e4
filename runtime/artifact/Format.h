// Names and numbers of the .xfm container that its writer and its reader must agree on. The container
// is a valid safetensors file: u64 header length, JSON header padded with spaces so that the data
// starts on a page, then the tensors. The last tensor is a checksum of every byte before it.
#pragma once
#include <cstdint>

namespace xfmr::artifact {

/// Version of Program.fbs and of the container; an artifact of another version is refused.
constexpr uint32_t kProgramVersion = 2;
/// Metadata key that holds kProgramVersion in decimal, so that it can be read before anything else.
constexpr const char *kVersionKey = "xfmr.version";

constexpr const char *kProgramTensor = "xfmr.program";
constexpr const char *kChecksumTensor = "xfmr.checksum";  // U8 [16]: XXH3-128, canonical (big endian)
constexpr const char *kPadPrefix = "xfmr.pad.";           // explicit padding; safetensors allows no holes
constexpr const char *kKernelPrefix = "kernel.";          // SPIR-V words
constexpr const char *kTokenizerTensor = "tokenizer.json";
constexpr const char *kTokenizerConfigTensor = "tokenizer_config.json";
constexpr const char *kGenerationConfigTensor = "generation_config.json";

constexpr uint64_t kPageBytes = 4096;   // alignment of the data and of tensors of at least this size
constexpr uint64_t kTensorAlign = 16;   // alignment of all other tensors, and of bindings
constexpr uint64_t kChecksumBytes = 16;

constexpr uint32_t kMaxPushWords = 16;
constexpr uint32_t kMaxGrid = 65535;    // per dimension, what every Vulkan device allows
constexpr uint32_t kMaxBindings = 16;   // storage buffers a kernel
constexpr uint32_t kMaxInvocations = 1024; // of a workgroup
constexpr uint32_t kMaxEndTokens = 8;    // runtime/plan/State.h has room for as many
constexpr uint32_t kMinStateBytes = 128;   // runtime/plan/State.h: 32 words

/// Floats from one row of width `width` to the next.
constexpr uint64_t paddedWidth(uint64_t width) { return (width + 7) / 8 * 8; }

} // namespace xfmr::artifact
