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
  if (latent)
    result += "_latent";
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
      {"k_cache", Access::Write, stored(cache)}};
  if (!latent)
    result.push_back({"v_cache", Access::Write, stored(cache)});
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
          floatBits(1.0f / static_cast<float>(headDim)),
          qHead ? qHead : headDim};
}

std::array<uint32_t, 3> RopeCacheParams::grid(const RopeCacheSpec &spec) const {
  uint64_t items = uint64_t(maxRows) * ((spec.touchesQ() ? numHeads : 0) + (spec.latent ? 1 : 2) * numKvHeads);
  return linearGrid((items + kRopeItems - 1) / kRopeItems);
}

std::string rotaryFault(uint32_t rotaryDim, uint32_t headDim, RopeStyle style) {
  if (rotaryDim % 2 || rotaryDim > headDim || (rotaryDim != 0) != (style != RopeStyle::None))
    return "rotary_dim must be even and from 2 to head_dim = " + std::to_string(headDim) +
           ", or 0 with style none, got " + std::to_string(rotaryDim);
  return "";
}

std::string RopeCacheSpec::fault() const {
  return firstFault({unitOffset && !qNorm && !kNorm ? "unit_offset needs q_norm or k_norm" : "", // C1
                     latent && (style == RopeStyle::None || qNorm || kNorm) ? "latent needs a style and no norms" : ""}); // C2
}

std::string RopeCacheParams::fault(const RopeCacheSpec &spec) const {
  const bool fits = numKvHeads == 1 && rotaryDim <= kMaxHeadDim && rotaryDim % 8 == 0 && headDim % 8 == 0 && rotaryDim < headDim;
  return firstFault({rotaryFault(rotaryDim, headDim, spec.style),
                     spec.latent && !fits ? "latent needs one kv head, and rotary_dim and head_dim that are multiples of 8" : "",
                     spec.latent ? qHead % 8 || qHead < rotaryDim ? "q_head must be a multiple of 8 from rotary_dim on" : ""
                     : qHead     ? "q_head needs latent" : "",
                     headDimFault(headDim, spec.latent), needsPositive("num_heads", numHeads),
                     needsPositive("num_kv_heads", numKvHeads), needsPositive("max_context", maxContext),
                     needsPositive("max_rows", maxRows), needsAligned(spec.unaligned, unaligned())});
}

} // namespace xfmr::codegen
