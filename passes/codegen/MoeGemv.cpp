// The contract of moe_gemv: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/MoeGemv.h"

namespace xfmr::codegen {

std::string MoeGemvSpec::name() const {
  return std::string("moe_gemv_") + (product == MoeProduct::First ? "first_" : "second_") + toString(weight) +
         epilogue.suffix() + (weighted ? "_weighted" : "") + terms.suffix() + (codes ? "_codes" : "");
}

std::vector<Binding> MoeGemvSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"x", Access::Read},
                                 {"weight", Access::Read, stored(weight)},
                                 {"ids", Access::Read, Stored::I32},
                                 {"out", Access::Write}};
  if (weighted)
    result.push_back({"weights", Access::Read});
  if (epilogue.bias)
    result.push_back({"bias", Access::Read});
  terms.appendBindings(result);
  if (codes)
    result.push_back({"codes", Access::Read, Stored::I32});
  return result;
}

std::vector<uint32_t> MoeGemvParams::push() const {
  std::vector<uint32_t> words = {n,          paddedWidth(k) / 8, topK,           x.stride, x.offset, out.stride,
                                 out.offset, floatBits(alpha),   floatBits(limit), part.word()};
  terms.push(words);
  return words;
}

std::array<uint32_t, 3> MoeGemvParams::grid(const MoeGemvSpec &spec) const {
  const uint32_t rows = spec.product == MoeProduct::First ? maxRows * topK : maxRows;
  return {(spec.epilogue.outBlocks(n) + kMoeGemvBlocks - 1) / kMoeGemvBlocks, rows, 1};
}

std::string MoeGemvSpec::fault() const {
  if (product == MoeProduct::First && terms != MoeTerms()) // C3
    return "the first product has no terms";
  if (codes && weighted && product == MoeProduct::First) // C4
    return "weighted rows have no codes";
  return firstFault({epilogue.fault(), terms.fault(), codesFault(codes, weight)}); // C1, C2, C5
}

std::string MoeGemvParams::fault(const MoeGemvSpec &) const {
  return firstFault({needsPositive("n", n), needsPositive("k", k), needsPositive("top_k", topK),
                     needsPositive("max_rows", maxRows), needsQuads("x", x), needsQuads("out", out),
                     needsQuads("shared", terms.shared), needsQuads("residual", terms.residual)});
}

} // namespace xfmr::codegen
