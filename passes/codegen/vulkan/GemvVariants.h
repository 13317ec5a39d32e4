// What the variants of gemv share: push words and the element types of bindings. For Gemv*.cpp only; the contract is Gemv.h.
#pragma once
#include "passes/codegen/Gemv.h"
#include "passes/codegen/vulkan/EpilogueBuilder.h"

namespace xfmr::codegen::gemv {

enum Word : uint32_t {
  kN,
  kChunks,   // of eight columns
  kInverseK, // 1 / k, for the mean
  kXOffset,
  kOutOffset,
  kEps,
  kEpilogue
};
static_assert(kEpilogue + EpilogueBuilder::kWords <= 16);

std::vector<Element> elements(const GemvSpec &spec);

} // namespace xfmr::codegen::gemv
