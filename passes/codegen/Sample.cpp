// The contract of sample: names, bindings, Vulkan launch, and what no kernel can do.
#include "passes/codegen/Sample.h"

namespace xfmr::codegen {

std::string SampleSpec::name() const {
  return part == SamplePart::Whole ? "sample" : std::string("sample_") + word(part);
}

std::vector<Binding> SampleSpec::bindings() const {
  if (part == SamplePart::Cut)
    return {{"state", Access::Read, Stored::I32},
            {"logits", Access::Read},
            {"seen", Access::Read, Stored::I32},
            {"slices", Access::ReadWrite, Stored::Mixed}};
  std::vector<Binding> result = {{"state", Access::ReadWrite, Stored::I32},
                                 {"logits", Access::Read},
                                 {"output", Access::Write, Stored::I32},
                                 {"tokens", Access::Write, Stored::I32},
                                 {"seen", Access::ReadWrite, Stored::I32}};
  if (part != SamplePart::Whole)
    result.push_back({"slices", Access::ReadWrite, Stored::Mixed});
  return result;
}

std::vector<uint32_t> SampleParams::push() const {
  return {vocab, rowStride / 4, outputCapacity, slice / 4, numSlices(), round};
}

std::array<uint32_t, 3> SampleParams::grid(const SampleSpec &) const {
  return {numSlices(), 1, 1};
}

std::string SampleSpec::fault() const {
  return "";
}

std::string SampleParams::fault(const SampleSpec &spec) const {
  if (rowStride % 4 || rowStride < vocab)
    return "row_stride must be a multiple of 4 and at least vocab = " + std::to_string(vocab) + ", got " +
           std::to_string(rowStride);
  if (spec.part == SamplePart::Whole ? slice != 0 : slice == 0 || slice % kSliceUnit || slice > kMostSlice)
    return "slice must be a multiple of 256 up to 4096 for a part and 0 for the whole, got " + std::to_string(slice);
  if (round >= (spec.part == SamplePart::Cut ? kCutRounds : 1))
    return "round must be below 8 for a cut and 0 otherwise, got " + std::to_string(round);
  return firstFault({needsPositive("vocab", vocab), needsPositive("output_capacity", outputCapacity)});
}

} // namespace xfmr::codegen
