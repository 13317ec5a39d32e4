// What the variants of moe_gemv share: push words, the element types of bindings, and what becomes of a row's sums. For MoeGemv*.cpp
// only; the contract is MoeGemv.h.
#pragma once
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/vulkan/MoeTermsBuilder.h"

namespace xfmr::codegen::moe_gemv {

enum Word : uint32_t { kN, kChunks, kTopK, kXStride, kXOffset, kOutStride, kOutOffset, kAlpha, kLimit, kPart, kTerms };
static_assert(kTerms + MoeTermsBuilder::kWords <= 16);

std::vector<Element> elements(const MoeGemvSpec &spec);

// Whether the part of the dispatch has the expert of an entry.
Value holds(KernelBuilder &k, Value entry);
// How many quads of outputs there are.
Value outBlocks(KernelBuilder &k, const MoeGemvSpec &spec);
// Stores the sums of quad `outBlock` of row (First: entry) `y`, after biases, the function of the expert or the terms.
void store(KernelBuilder &k, const MoeGemvSpec &spec, Value total, Value outBlock, Value y);

} // namespace xfmr::codegen::moe_gemv
