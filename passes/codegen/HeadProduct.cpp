// The contract of head_product: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/HeadProduct.h"

namespace xfmr::codegen {

std::string HeadProductSpec::name() const {
  return std::string("head_product_") + toString(weight) + (single ? "_single" : "");
}

std::vector<Binding> HeadProductSpec::bindings() const {
  return {{"state", Access::Read, Stored::I32},
          {"x", Access::Read},
          {"weight", Access::Read, stored(weight)},
          {"out", Access::Write}};
}

std::string HeadProductSpec::fault() const {
  return schemeOf(weight) ? "weight must be f32, f16 or bf16, got " + std::string(word(weight)) : ""; // C1
}

std::vector<uint32_t> HeadProductParams::push() const {
  return {numHeads, n, k / 8, x.stride, x.offset, out.stride, out.offset, xHead, outHead, copied};
}

std::array<uint32_t, 3> HeadProductParams::grid(const HeadProductSpec &spec) const {
  const uint64_t parts = (n / 4 + kHeadProductBlocks - 1) / kHeadProductBlocks;
  const uint64_t tiles = spec.single ? 1 : (maxRows + kHeadProductRows - 1) / kHeadProductRows;
  return linearGrid(parts * numHeads * tiles);
}

std::string HeadProductParams::fault(const HeadProductSpec &spec) const {
  for (const auto &[field, value] :
       {std::pair("n", n), {"k", k}, {"copied", copied}, {"x_head", xHead}, {"out_head", outHead}})
    if (value % 8)
      return std::string(field) + " must be a multiple of 8, got " + std::to_string(value);
  if (x.offset < copied || out.offset < copied || xHead < copied + k || outHead < copied + n)
    return "copied columns and those of the product must lie within their head";
  return firstFault({needsPositive("num_heads", numHeads), needsPositive("n", n), needsPositive("k", k),
                     needsPositive("max_rows", maxRows), needsQuads("x", x), needsQuads("out", out),
                     spec.single && maxRows != 1 ? "single takes one row" : ""});
}

} // namespace xfmr::codegen
