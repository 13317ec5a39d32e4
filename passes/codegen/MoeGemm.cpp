// The contract of moe_gemm: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/MoeGemm.h"

namespace xfmr::codegen {

std::string MoeGemmSpec::name() const {
  return std::string("moe_gemm_") + (product == MoeProduct::First ? "first_" : "second_") + toString(weight) +
         epilogue.suffix() + (weighted ? "_weighted" : "") + "_m" + std::to_string(tileRows) + (codes ? "_codes" : "") +
         (pairs ? "_pairs" : "");
}

std::vector<Binding> MoeGemmSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"x", Access::Read},
                                 {"weight", Access::Read, stored(weight)},
                                 {"plan", Access::Read, Stored::I32},
                                 {"out", Access::Write}};
  if (weighted)
    result.push_back({"weights", Access::Read});
  if (epilogue.bias)
    result.push_back({"bias", Access::Read});
  if (codes)
    result.push_back({"codes", Access::Read, Stored::I32});
  if (pairs)
    result.push_back({"pairs", Access::Read, Stored::I32});
  return result;
}

std::vector<uint32_t> MoeGemmParams::push() const {
  return {n,          paddedWidth(k) / 8, layout.topK,     x.stride,           x.offset,         out.stride,
          out.offset, layout.tiles(),     layout.sorted(), paddedWidth(n) / 4, floatBits(alpha), floatBits(limit),
          gridAt,     part.firstExpert};
}

std::array<uint32_t, 3> MoeGemmParams::grid(const MoeGemmSpec &spec) const {
  return {(spec.epilogue.outBlocks(n) * 4 + kMoeGemmTile - 1) / kMoeGemmTile, layout.maxTiles(), 1};
}

std::string MoeGemmSpec::fault() const {
  if (!isMoeTileRows(tileRows)) // C1
    return "tile_rows must be 8, 16, 32, 64 or 128, got " + std::to_string(tileRows);
  if (codes && weighted && product == MoeProduct::First) // C3
    return "weighted rows have no codes";
  if (pairs && weighted && product == MoeProduct::First) // C5
    return "weighted rows have no pairs";
  return firstFault({epilogue.fault(), codesFault(codes, weight), pairsFault(pairs, weight)}); // C2, C4, C6
}

std::string MoeGemmParams::fault(const MoeGemmSpec &spec) const {
  if (layout.tileRows != spec.tileRows)
    return "the layout's tile_rows are " + std::to_string(layout.tileRows) + ", the kernel's " +
           std::to_string(spec.tileRows);
  return firstFault({layout.fault(), needsPositive("n", n), needsPositive("k", k), needsQuads("x", x),
                     needsQuads("out", out)});
}

} // namespace xfmr::codegen
