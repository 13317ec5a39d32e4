// Emits MoeTerms: what joins the sum over the chosen experts.
#pragma once
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "passes/codegen/MoeCombine.h"

namespace xfmr::codegen {

class MoeTermsBuilder {
public:
  static constexpr uint32_t kWords = 6; // push words it takes, in the order of MoeTermRows::push
  static void appendElements(std::vector<Element> &elements, const MoeTerms &terms);

  MoeTermsBuilder(KernelBuilder &k, const MoeTerms &terms, uint32_t firstWord)
      : k(k), terms(terms), firstWord(firstWord) {}

  // v with the terms of columns 4 * quad .. of `row`.
  Value apply(Value v, Value row, Value quad);

private:
  Value at(Value row, uint32_t word) { return k.push(firstWord + word) + row * k.push(firstWord + word + 1); }
  KernelBuilder &k;
  const MoeTerms &terms;
  uint32_t firstWord;
};

} // namespace xfmr::codegen
