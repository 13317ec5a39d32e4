// The contract of row_codes: names, bindings, and what no kernel can do. Vulkan has no such kernel.
#include "passes/codegen/RowCodes.h"

namespace xfmr::codegen {

std::string RowCodesSpec::name() const { return halves ? "row_codes_halves" : "row_codes"; }

std::vector<Binding> RowCodesSpec::bindings() const {
  return {{"state", Access::Read, Stored::I32}, {"x", Access::Read}, {"codes", Access::Write, Stored::I32}};
}

std::string RowCodesSpec::fault() const { return ""; }

std::vector<uint32_t> RowCodesParams::push() const { return {}; }

std::array<uint32_t, 3> RowCodesParams::grid(const RowCodesSpec &) const { return {1, 1, 1}; }

std::string RowCodesParams::fault(const RowCodesSpec &) const {
  return firstFault({needsPositive("width", width), needsPositive("max_rows", maxRows),
                     needsPositive("rows_a_token", rowsAToken), needsQuads("x", x)});
}

} // namespace xfmr::codegen
