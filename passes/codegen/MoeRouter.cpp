// The contract of moe_router: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/MoeRouter.h"

namespace xfmr::codegen {

std::string MoeRouterSpec::name() const {
  std::string result = std::string("moe_router_") + toString(weight) + "_e" + std::to_string(experts) + "_k" +
                       std::to_string(topK) + "_" + word(score);
  if (postTopK)
    result += "_post";
  if (norm)
    result += "_norm";
  if (groups > 1 || keptGroups > 1 || sumTop2)
    result += "_g" + std::to_string(groups) + "of" + std::to_string(keptGroups) + (sumTop2 ? "_top2" : "_max");
  for (auto [present, text] : {std::pair(routerBias, "_bias"), {selectionBias, "_sel"}, {rmsNorm, "_rms"},
                               {unitOffset, "1"}, {stats, "_stats"}, {spread, "_spread"}})
    if (present)
      result += text;
  return result + "_r" + std::to_string(rowsPerGroup);
}

std::vector<Binding> MoeRouterSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"x", Access::Read},
                                 {"weight", Access::Read, stored(weight)},
                                 {"ids", Access::Write, Stored::I32},
                                 {"weights", Access::Write}};
  if (routerBias)
    result.push_back({"router_bias", Access::Read});
  if (selectionBias)
    result.push_back({"selection_bias", Access::Read});
  if (rmsNorm) {
    result.push_back({"norm", Access::Read});
    result.push_back({"normed", Access::ReadWrite});
  }
  if (stats)
    result.push_back({"stats", Access::ReadWrite, Stored::Mixed});
  if (spread) {
    result.push_back({"logits", Access::ReadWrite});
    result.push_back({"done", Access::ReadWrite, Stored::I32});
  }
  return result;
}

std::vector<uint32_t> MoeRouterParams::push() const {
  return {paddedWidth(k) / 8, floatBits(1.0f / static_cast<float>(k)), x.stride,       x.offset,
          normed.stride,      normed.offset,                           floatBits(eps), floatBits(normEps),
          floatBits(scale),   floatBits(mixerEps)};
}

std::array<uint32_t, 3> MoeRouterParams::grid(const MoeRouterSpec &spec) const {
  return linearGrid(spec.spread ? (spec.experts + kRouterExperts - 1) / kRouterExperts
                                : (maxRows + spec.rowsPerGroup - 1) / spec.rowsPerGroup);
}

std::string MoeRouterSpec::fault() const {
  if (schemeOf(weight)) // C5
    return std::string("needs a weight of f32, f16 or bf16, got ") + toString(weight);
  if (experts < 1 || experts > kMaxExperts || topK < 1 || topK > kMaxTopK || topK > experts) // C1
    return "needs 1 .. 512 experts and a top_k of 1 .. 16 of them, got " + std::to_string(experts) + " and " +
           std::to_string(topK);
  if (groups < 1 || experts % groups || keptGroups < 1 || keptGroups > groups) // C2
    return "groups must divide the " + std::to_string(experts) + " experts and kept_groups be of them, got " +
           std::to_string(groups) + " and " + std::to_string(keptGroups);
  if (unitOffset && !rmsNorm) // C3
    return "unit_offset needs rms_norm";
  if (rowsPerGroup != 1 && rowsPerGroup != 2 && rowsPerGroup != 4) // C4
    return "rows_per_group must be 1, 2 or 4, got " + std::to_string(rowsPerGroup);
  if (spread && rowsPerGroup != 1) // C6
    return "spread needs rows_per_group 1, got " + std::to_string(rowsPerGroup);
  return "";
}

std::string MoeRouterParams::fault(const MoeRouterSpec &spec) const {
  return firstFault({needsPositive("k", k), needsPositive("max_rows", maxRows), needsQuads("x", x),
                     needsQuads("normed", normed),
                     spec.spread && maxRows != 1 ? "max_rows must be 1 where experts are spread, got " + std::to_string(maxRows)
                                                 : ""});
}

} // namespace xfmr::codegen
