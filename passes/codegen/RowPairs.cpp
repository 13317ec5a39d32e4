// The contract of row_pairs: names, bindings, and what no kernel can do. Vulkan has no such kernel.
#include "passes/codegen/RowPairs.h"

namespace xfmr::codegen {

std::string RowPairsSpec::name() const { return "row_pairs"; }

std::vector<Binding> RowPairsSpec::bindings() const {
  return {{"state", Access::Read, Stored::I32}, {"x", Access::Read}, {"pairs", Access::Write, Stored::I32}};
}

std::string RowPairsSpec::fault() const { return ""; }

std::vector<uint32_t> RowPairsParams::push() const { return {}; }

std::array<uint32_t, 3> RowPairsParams::grid(const RowPairsSpec &) const { return {1, 1, 1}; }

std::string RowPairsParams::fault(const RowPairsSpec &) const {
  return firstFault({needsPositive("width", width), needsPositive("max_rows", maxRows),
                     needsPositive("rows_a_token", rowsAToken), needsQuads("x", x)});
}

} // namespace xfmr::codegen
