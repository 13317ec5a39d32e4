// What the variants of attention_prefill share: push words, query tile and element types, so that
// all take the same dispatch. For Attention*.cpp only; the contract is Attention.h.
#pragma once
#include "passes/codegen/Attention.h"
#include "passes/codegen/vulkan/KernelBuilder.h"

namespace xfmr::codegen::attention_prefill {

enum Word : uint32_t {
  kNumHeads,
  kNumKvHeads,
  kMaxContext,
  kQStride,
  kQOffset,
  kOutStride,
  kOutOffset,
  kScale,
  kSoftcap,
  kWindow,
  kChunk,
  kAlibi,
  kAlibiHeads
};

constexpr float kMasked = -1e30f; // a score that counts for nothing

// What the buffer "bias" adds to the score of a key; any key and query give an index inside.
Value distanceBias(KernelBuilder &k, Value maxContext, Value head, Value key, Value query);

std::vector<Element> elements(const AttentionPrefillSpec &spec);

// AttentionSubgroup8.cpp; for head sizes up to kMaxSubgroup8.
constexpr uint32_t kMaxSubgroup8 = 128;
llvm::Expected<BuiltKernel> buildSubgroup8(mlir::MLIRContext &context,
                                                const AttentionPrefillSpec &spec);

} // namespace xfmr::codegen::attention_prefill
