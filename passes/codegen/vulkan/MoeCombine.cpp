// portable: an invocation takes one vec4 of one row.
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/vulkan/Math.h"
#include "passes/codegen/vulkan/MoeTermsBuilder.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {
enum TermWord : uint32_t { kShared = 0, kGate = 2, kResidual = 4 }; // offset, then stride
enum Word : uint32_t { kQuads, kTopK, kPartsStride, kPartsOffset, kOutStride, kOutOffset, kTerms };
static_assert(kTerms + MoeTermsBuilder::kWords <= 16);
} // namespace

void MoeTermsBuilder::appendElements(std::vector<Element> &elements, const MoeTerms &terms) {
  if (terms.shared)
    elements.push_back(Element::F32x4);
  if (terms.sharedGate)
    elements.push_back(Element::F32);
  if (terms.residual)
    elements.push_back(Element::F32x4);
}

Value MoeTermsBuilder::apply(Value v, Value row, Value quad) {
  if (terms.shared) {
    Value s = k.buffer("shared")[(at(row, kShared) >> 2) + quad];
    v = v + (terms.sharedGate ? s * sigmoid(k.buffer("gate")[at(row, kGate)]) : s);
  }
  return terms.residual ? v + k.buffer("residual")[(at(row, kResidual) >> 2) + quad] : v;
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const MoeCombineSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, Element::F32x4};
  if (spec.drop)
    elements.push_back(Element::U32);
  MoeTermsBuilder::appendElements(elements, spec.terms);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {64, 1, 1});
  Value item = k.group() * 64 + k.thread(), quads = k.push(kQuads), row = item / quads, quad = item % quads;
  k.when(row < k.buffer("state")[state::kCount], [&] {
    Value sum = k.loop(k.u32(0), k.push(kTopK), k.u32(1), {k.zero4()}, [&](Value slot, llvm::ArrayRef<Value> in) {
      Value entry = row * k.push(kTopK) + slot;
      auto part = [&] {
        Value at = (k.push(kPartsOffset) + entry * k.push(kPartsStride)) >> 2;
        return Values{in[0] + k.buffer("parts")[at + quad]};
      };
      if (!spec.drop)
        return part();
      return k.choose(k.buffer("ids")[entry] != double(kDroppedExpert), part, [&] { return Values{in[0]}; });
    })[0];
    Value out = (k.push(kOutOffset) + row * k.push(kOutStride)) >> 2;
    k.buffer("out").store(out + quad, MoeTermsBuilder(k, spec.terms, kTerms).apply(sum, row, quad));
  });
  return k.finish();
}

} // namespace xfmr::codegen
