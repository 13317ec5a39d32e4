// The contract of norm: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Norm.h"

namespace xfmr::codegen {

std::string NormSpec::name() const {
  std::string result = kind == NormKind::Rms ? "rms_norm" : "layer_norm";
  if (unitOffset)
    result += "_unit_offset";
  if (bias)
    result += "_bias";
  if (perHead)
    result += "_per_head";
  if (lastRow)
    result += "_last_row";
  if (unaligned)
    result += "_unaligned";
  return result;
}

std::vector<Binding> NormSpec::bindings() const {
  std::vector<Binding> result = {
      {"state", Access::Read, Stored::I32}, {"x", Access::Read}, {"out", Access::Write}, {"weight", Access::Read}};
  if (bias)
    result.push_back({"bias", Access::Read});
  return result;
}

std::vector<uint32_t> NormParams::push() const {
  return {width,
          groups,
          x.stride,
          x.offset,
          out.stride,
          out.offset,
          floatBits(1.0f / static_cast<float>(width)),
          floatBits(eps)};
}

std::array<uint32_t, 3> NormParams::grid(const NormSpec &spec) const {
  uint64_t items = (spec.lastRow ? 1 : uint64_t(maxRows)) * groups;
  uint32_t each = 64 / normLanes(spec.perHead);
  return linearGrid((items + each - 1) / each);
}

std::string NormSpec::fault() const {
  return "";
}

std::string NormParams::fault(const NormSpec &spec) const {
  if (!spec.perHead && groups != 1)
    return std::to_string(groups) + " groups need per_head";
  return firstFault({needsPositive("width", width), needsPositive("groups", groups),
                     needsPositive("max_rows", maxRows), needsAligned(spec.unaligned, unaligned())});
}

} // namespace xfmr::codegen
