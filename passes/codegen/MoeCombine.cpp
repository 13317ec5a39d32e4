// The contract of moe_combine: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/MoeCombine.h"

namespace xfmr::codegen {

std::string MoeTerms::suffix() const {
  return std::string(shared ? "_shared" : "") + (sharedGate ? "_gate" : "") + (residual ? "_residual" : "");
}

void MoeTerms::appendBindings(std::vector<Binding> &bindings) const {
  if (shared)
    bindings.push_back({"shared", Access::Read});
  if (sharedGate)
    bindings.push_back({"gate", Access::Read});
  if (residual)
    bindings.push_back({"residual", Access::Read});
}

void MoeTermRows::push(std::vector<uint32_t> &words) const {
  words.insert(words.end(), {shared.offset, shared.stride, gate.offset, gate.stride, residual.offset, residual.stride});
}

std::string MoeCombineSpec::name() const {
  return std::string("moe_combine") + terms.suffix() + (drop ? "_drop" : "");
}

std::vector<Binding> MoeCombineSpec::bindings() const {
  std::vector<Binding> result = {{"state", Access::Read, Stored::I32}, {"parts", Access::Read}, {"out", Access::Write}};
  if (drop)
    result.push_back({"ids", Access::Read, Stored::I32});
  terms.appendBindings(result);
  return result;
}

std::vector<uint32_t> MoeCombineParams::push() const {
  std::vector<uint32_t> words = {paddedWidth(width) / 4, topK, parts.stride, parts.offset, out.stride, out.offset};
  terms.push(words);
  return words;
}

std::array<uint32_t, 3> MoeCombineParams::grid(const MoeCombineSpec &) const {
  return linearGrid((uint64_t(maxRows) * (paddedWidth(width) / 4) + 63) / 64);
}

std::string MoeTerms::fault() const {
  return sharedGate && !shared ? "shared_gate needs shared" : "";
}

std::string MoeCombineSpec::fault() const {
  return terms.fault(); // C1
}

std::string MoeCombineParams::fault(const MoeCombineSpec &) const {
  return firstFault({needsPositive("width", width), needsPositive("top_k", topK), needsPositive("max_rows", maxRows),
                     needsQuads("parts", parts), needsQuads("out", out), needsQuads("shared", terms.shared),
                     needsQuads("residual", terms.residual)});
}

} // namespace xfmr::codegen
