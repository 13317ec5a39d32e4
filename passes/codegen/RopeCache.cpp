// The contract of rope_cache: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/Attention.h"

namespace xfmr::codegen {

std::string RopeCacheSpec::name() const {
  std::string result = std::string("rope_cache_") + toString(cache);
  result += std::string("_") + word(style);
  if (qNorm)
    result += "_q_norm";
  if (kNorm)
    result += "_k_norm";
  if (unitOffset)
    result += "_unit_offset";
  if (unaligned)
    result += "_unaligned";
  return result;
}

void addTurn(std::vector<Binding> &bindings, RopeStyle style, bool qNorm, bool kNorm) {
  if (style != RopeStyle::None)
    bindings.push_back({"rope", Access::Read});
  if (qNorm)
    bindings.push_back({"q_norm", Access::Read});
  if (kNorm)
    bindings.push_back({"k_norm", Access::Read});
}

std::vector<Binding> RopeCacheSpec::bindings() const {
  std::vector<Binding> result = {
      {"state", Access::Read, Stored::I32},    {"q", touchesQ() ? Access::ReadWrite : Access::Read},
      {"k", Access::Read},        {"v", Access::Read},
      {"k_cache", Access::Write, stored(cache)}, {"v_cache", Access::Write, stored(cache)}};
  addTurn(result, style, qNorm, kNorm);
  return result;
}

std::vector<uint32_t> RopeCacheParams::push() const {
  return {numHeads,
          numKvHeads,
          headDim,
          rotaryDim,
          maxContext,
          q.stride,
          q.offset,
          k.stride,
          k.offset,
          v.stride,
          v.offset,
          floatBits(eps),
          floatBits(1.0f / static_cast<float>(headDim))};
}

std::array<uint32_t, 3> RopeCacheParams::grid(const RopeCacheSpec &spec) const {
  uint64_t items = uint64_t(maxRows) * ((spec.touchesQ() ? numHeads : 0) + 2 * numKvHeads);
  return linearGrid((items + kRopeItems - 1) / kRopeItems);
}

std::string rotaryFault(uint32_t rotaryDim, uint32_t headDim, RopeStyle style) {
  if (rotaryDim % 2 || rotaryDim > headDim || (rotaryDim != 0) != (style != RopeStyle::None))
    return "rotary_dim must be even and from 2 to head_dim = " + std::to_string(headDim) +
           ", or 0 with style none, got " + std::to_string(rotaryDim);
  return "";
}

std::string RopeCacheSpec::fault() const {
  return unitOffset && !qNorm && !kNorm ? "unit_offset needs q_norm or k_norm" : ""; // C1
}

std::string RopeCacheParams::fault(const RopeCacheSpec &spec) const {
  return firstFault({rotaryFault(rotaryDim, headDim, spec.style), headDimFault(headDim), needsPositive("num_heads", numHeads),
                     needsPositive("num_kv_heads", numKvHeads), needsPositive("max_context", maxContext),
                     needsPositive("max_rows", maxRows), needsAligned(spec.unaligned, unaligned())});
}

} // namespace xfmr::codegen
