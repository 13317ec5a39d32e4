// The contract of elementwise: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Elementwise.h"

namespace xfmr::codegen {

std::string ElementwiseSpec::name() const {
  std::string result = std::string("elementwise_") + word(op);
  if (op == ElementwiseOp::Activation)
    result += std::string("_") + toString(activation);
  return result;
}

std::vector<Binding> ElementwiseSpec::bindings() const {
  std::vector<Binding> result = {
      {"state", Access::Read, Stored::I32}, {"a", Access::Read}, {"out", Access::Write}};
  if (hasB())
    result.push_back({"b", Access::Read});
  return result;
}

std::vector<uint32_t> ElementwiseParams::push() const {
  return {paddedWidth(width) / 4, a.stride, a.offset, b.stride, b.offset, out.stride, out.offset,
          floatBits(value), width};
}

std::array<uint32_t, 3> ElementwiseParams::grid(const ElementwiseSpec &spec) const {
  return linearGrid(spec.op == ElementwiseOp::LastRow ? 1 : maxRows);
}

std::string ElementwiseSpec::fault() const {
  if (activation != Activation::None && op != ElementwiseOp::Activation) // C1
    return std::string(word(op)) + " has no activation, got " + word(activation);
  return "";
}

std::string ElementwiseParams::fault(const ElementwiseSpec &spec) const {
  return firstFault({needsPositive("width", width), needsPositive("max_rows", maxRows),
                     spec.op == ElementwiseOp::Copy ? "" : needsQuads("a", a),
                     needsQuads("b", b), needsQuads("out", out)});
}

} // namespace xfmr::codegen
