// The contract of latent_expand: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/LatentExpand.h"
#include "passes/codegen/Attention.h"

namespace xfmr::codegen {

std::string LatentExpandSpec::name() const {
  return std::string("latent_expand_") + toString(weight) + "_" + toString(cache) + "_to_" + toString(heads);
}

std::vector<Binding> LatentExpandSpec::bindings() const {
  return {{"state", Access::Read, Stored::I32},
          {"rows", Access::Read, stored(cache)},
          {"weight", Access::Read, stored(weight)},
          {"k_cache", Access::Write, stored(heads)},
          {"v_cache", Access::Write, stored(heads)}};
}

std::string LatentExpandSpec::fault() const {
  return firstFault({schemeOf(weight) ? "weight must be f32, f16 or bf16, got " + std::string(word(weight)) : "", // C1
                     heads == CacheType::Q8 ? "heads must be f32 or f16, got q8" : ""});                          // C2
}

std::vector<uint32_t> LatentExpandParams::push() const {
  return {numHeads, headDim, rotaryDim, latentDim, maxContext};
}

std::array<uint32_t, 3> LatentExpandParams::grid(const LatentExpandSpec &) const {
  const uint64_t parts = (outputs() / 4 + kLatentExpandBlocks - 1) / kLatentExpandBlocks;
  return linearGrid(parts * numHeads * ((maxContext + kLatentExpandRows - 1) / kLatentExpandRows));
}

std::string LatentExpandParams::fault(const LatentExpandSpec &) const {
  for (const auto &[field, value] :
       {std::pair("head_dim", headDim), {"rotary_dim", rotaryDim}, {"latent_dim", latentDim}})
    if (!value || value % 8)
      return std::string(field) + " must be a positive multiple of 8, got " + std::to_string(value);
  return firstFault({rotaryDim < headDim ? "" : "rotary_dim must be below head_dim", headDimFault(headDim),
                     headDimFault(rowDim(), /*latent=*/true), needsPositive("num_heads", numHeads),
                     needsPositive("max_context", maxContext)});
}

} // namespace xfmr::codegen
