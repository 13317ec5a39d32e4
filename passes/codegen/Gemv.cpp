// The contract of gemv: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Gemv.h"

namespace xfmr::codegen {

std::string GemvSpec::name() const {
  return std::string("gemv_") + toString(weight) +
         (rmsNorm ? (unitOffset ? "_rms1" : "_rms") : "") + epilogue.suffix() + (codes ? "_codes" : "");
}

std::vector<Binding> GemvSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"x", Access::Read},
                                 {"weight", Access::Read, stored(weight)},
                                 {"out", Access::Write}};
  if (rmsNorm)
    result.push_back({"norm", Access::Read});
  epilogue.appendBindings(result);
  if (codes)
    result.push_back({"codes", Access::Read, Stored::I32});
  return result;
}

std::vector<uint32_t> GemvParams::push() const {
  std::vector<uint32_t> words = {
      n,       paddedWidth(k) / 8, floatBits(1.0f / static_cast<float>(k)),
      xOffset, outOffset,          floatBits(eps)};
  epilogue.push(words);
  return words;
}

std::array<uint32_t, 3> GemvParams::grid(const GemvSpec &spec) const {
  return linearGrid((spec.epilogue.outBlocks(n) + kGemvBlocks - 1) / kGemvBlocks);
}

std::string GemvSpec::fault() const {
  return firstFault({unitOffset && !rmsNorm ? "unit_offset needs rms_norm" : "", // C1
                     codesFault(codes, weight)});                              // C2
}

std::string GemvParams::fault(const GemvSpec &spec) const {
  return firstFault({needsPositive("n", n), needsPositive("k", k), needsQuads("x_offset", xOffset),
                     needsQuads("out_offset", outOffset), epilogue.fault(spec.epilogue, n)});
}

} // namespace xfmr::codegen
