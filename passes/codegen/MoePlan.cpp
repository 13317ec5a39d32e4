// The contract of moe_plan: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/MoePlan.h"
#include <algorithm>

namespace xfmr::codegen {

uint32_t MoePlanLayout::maxTiles() const {
  return maxEntries() / tileRows + std::min(experts, maxEntries());
}

std::string MoePlanSpec::name() const {
  return std::string("moe_plan") + (drop ? "_drop" : "") + (stats ? "_stats" : "");
}

std::vector<Binding> MoePlanSpec::bindings() const {
  const Access entries = drop ? Access::ReadWrite : Access::Read;
  std::vector<Binding> result = {
      {"state", Access::Read, Stored::I32}, {"ids", entries, Stored::I32}, {"plan", Access::ReadWrite, Stored::I32}};
  if (drop || stats)
    result.push_back({"weights", stats ? entries : Access::Write});
  if (stats)
    result.push_back({"stats", Access::ReadWrite, Stored::Mixed});
  if (drop)
    result.push_back({"chosen", Access::ReadWrite, Stored::I32});
  return result;
}

std::vector<uint32_t> MoePlanParams::push() const {
  return {layout.experts,  layout.topK,    layout.tileRows, xGroups0,       xGroups1,        layout.perPart0, layout.perPart1,
          layout.starts(), layout.taken(), layout.tiles(), layout.grid0(),  layout.grid1(), layout.sorted(), layout.scratch(), capacity,
          floatBits(capacityFactor)};
}

std::array<uint32_t, 3> MoePlanParams::grid(const MoePlanSpec &) const { return {1, 1, 1}; }

std::string MoePlanLayout::fault() const {
  if (!isMoeTileRows(tileRows))
    return "tile_rows must be 8, 16, 32, 64 or 128, got " + std::to_string(tileRows);
  if (experts < 1 || experts > 512 || topK < 1 || topK > experts || !maxRows)
    return "a layout needs 1 .. 512 experts, a top_k of them and rows, got " + std::to_string(experts) + ", " +
           std::to_string(topK) + " and " + std::to_string(maxRows);
  return firstFault({needsPositive("per_part0", perPart0), needsPositive("per_part1", perPart1)});
}

std::string MoePlanSpec::fault() const {
  return "";
}

std::string MoePlanParams::fault(const MoePlanSpec &) const {
  return firstFault({layout.fault(), needsPositive("x_groups0", xGroups0), needsPositive("x_groups1", xGroups1)});
}

} // namespace xfmr::codegen
