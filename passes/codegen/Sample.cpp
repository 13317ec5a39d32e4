// The contract of sample: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Sample.h"

namespace xfmr::codegen {

std::string SampleSpec::name() const {
  return "sample";
}

std::vector<Binding> SampleSpec::bindings() const {
  return {{"state", Access::ReadWrite, Stored::I32},
          {"logits", Access::Read},
          {"output", Access::Write, Stored::I32},
          {"tokens", Access::Write, Stored::I32},
          {"seen", Access::ReadWrite, Stored::I32}};
}

std::vector<uint32_t> SampleParams::push() const {
  return {vocab, rowStride / 4, outputCapacity};
}

std::array<uint32_t, 3> SampleParams::grid(const SampleSpec &) const {
  return {1, 1, 1};
}

std::string SampleSpec::fault() const {
  return "";
}

std::string SampleParams::fault(const SampleSpec &) const {
  if (rowStride % 4 || rowStride < vocab)
    return "row_stride must be a multiple of 4 and at least vocab = " + std::to_string(vocab) + ", got " +
           std::to_string(rowStride);
  return firstFault({needsPositive("vocab", vocab), needsPositive("output_capacity", outputCapacity)});
}

} // namespace xfmr::codegen
