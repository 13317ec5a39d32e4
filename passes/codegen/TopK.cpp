// The contract of top_k: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/TopK.h"

namespace xfmr::codegen {

std::string TopKSpec::name() const {
  return "top_k_" + std::to_string(top) + (magnitude ? "_magnitude" : "");
}

std::vector<Binding> TopKSpec::bindings() const {
  return {{"state", Access::Read, Stored::I32}, {"x", Access::Read}, {"out", Access::Write}};
}

std::string TopKSpec::fault() const {
  if (top < 1 || top > kMaxTop)
    return "top is " + std::to_string(top) + ", expected 1 to " + std::to_string(kMaxTop);
  return "";
}

std::vector<uint32_t> TopKParams::push() const {
  return {width, x.stride, x.offset};
}

std::array<uint32_t, 3> TopKParams::grid(const TopKSpec &) const {
  return linearGrid(maxRows);
}

std::string TopKParams::fault(const TopKSpec &spec) const {
  if (width < spec.top || width > kMaxTopWidth)
    return "width is " + std::to_string(width) + ", expected " + std::to_string(spec.top) + " to " +
           std::to_string(kMaxTopWidth);
  return needsPositive("max_rows", maxRows);
}

} // namespace xfmr::codegen
