// The contract of gemm: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Gemm.h"

namespace xfmr::codegen {

std::string GemmSpec::name() const {
  return std::string("gemm_") + toString(weight) + epilogue.suffix() + (codes ? "_codes" : "") +
         (pairs ? "_pairs" : "");
}

std::vector<Binding> GemmSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"x", Access::Read},
                                 {"weight", Access::Read, stored(weight)},
                                 {"out", Access::Write}};
  epilogue.appendBindings(result);
  if (codes)
    result.push_back({"codes", Access::Read, Stored::I32});
  if (pairs)
    result.push_back({"pairs", Access::Read, Stored::I32});
  return result;
}

std::vector<uint32_t> GemmParams::push() const {
  std::vector<uint32_t> words = {n, paddedWidth(k) / 8, x.stride, x.offset, out.stride, out.offset};
  epilogue.push(words);
  return words;
}

std::array<uint32_t, 3> GemmParams::grid(const GemmSpec &spec) const {
  uint32_t rows = spec.epilogue.outBlocks(n) * 4;
  return {(rows + kGemmTile - 1) / kGemmTile, (maxRows + kGemmTile - 1) / kGemmTile, 1};
}

std::string GemmSpec::fault() const {
  return firstFault({codesFault(codes, weight), pairsFault(pairs, weight)}); // C1, C2
}

std::string GemmParams::fault(const GemmSpec &spec) const {
  return firstFault({needsPositive("n", n), needsPositive("k", k), needsPositive("max_rows", maxRows),
                     needsQuads("x", x), needsQuads("out", out), epilogue.fault(spec.epilogue, n)});
}

} // namespace xfmr::codegen
