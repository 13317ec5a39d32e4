// The contract of embedding: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Embedding.h"

namespace xfmr::codegen {

std::string EmbeddingSpec::name() const {
  return std::string("embedding_") + toString(weight) + (positions ? "_positions" : "");
}

std::vector<Binding> EmbeddingSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32},
                                 {"tokens", Access::Read, Stored::I32},
                                 {"table", Access::Read, stored(weight)},
                                 {"out", Access::Write}};
  if (positions)
    result.push_back({"positions", Access::Read, stored(weight)});
  return result;
}

std::vector<uint32_t> EmbeddingParams::push() const {
  return {paddedWidth(width) / 8, vocab, firstRow, tableRows, out.stride, out.offset, maxPosition, width};
}

std::array<uint32_t, 3> EmbeddingParams::grid(const EmbeddingSpec &) const {
  return linearGrid(maxRows);
}

std::string EmbeddingSpec::fault() const {
  return "";
}

std::string EmbeddingParams::fault(const EmbeddingSpec &spec) const {
  return firstFault({needsPositive("width", width), needsPositive("vocab", vocab), needsPositive("table_rows", tableRows),
                     needsPositive("max_rows", maxRows), needsQuads("out", out),
                     spec.positions ? needsPositive("max_position", maxPosition) : ""});
}

} // namespace xfmr::codegen
