// From an `xfmr.kernel` op back to its spec, and to SPIR-V.
#include "passes/lowering/KernelSpecs.h"

using namespace mlir;
using namespace xfmr;

namespace {

using Compiler = llvm::Expected<codegen::CompiledKernel> (*)(MLIRContext &, DictionaryAttr);

template <class Spec>
llvm::Expected<codegen::CompiledKernel> compileAs(MLIRContext &context, DictionaryAttr attribute) {
  Spec spec;
  SpecReader reader(attribute);
  fields(spec, reader);
  return codegen::compile(context, spec);
}

template <class Spec> std::pair<StringRef, Compiler> entry() {
  return {familyOf(Spec()), &compileAs<Spec>};
}

} // namespace

llvm::Expected<codegen::CompiledKernel> xfmr::compileKernel(MLIRContext &context, KernelOp op) {
  static const std::pair<StringRef, Compiler> compilers[] = {
      entry<codegen::EmbeddingSpec>(),        entry<codegen::NormSpec>(),
      entry<codegen::GemvSpec>(),             entry<codegen::GemmSpec>(),
      entry<codegen::RopeCacheSpec>(),        entry<codegen::AttentionPrefillSpec>(),
      entry<codegen::AttentionDecodeSpec>(),  entry<codegen::AttentionCombineSpec>(),
      entry<codegen::ElementwiseSpec>(),      entry<codegen::SampleSpec>(),
      entry<codegen::MoeRouterSpec>(),        entry<codegen::MoePlanSpec>(),
      entry<codegen::MoeGemmSpec>(),          entry<codegen::MoeGemvSpec>(),
      entry<codegen::MoeCombineSpec>(),
  };
  for (auto &[family, compiler] : compilers)
    if (family == op.getFamily())
      return compiler(context, op.getSpec());
  return llvm::createStringError("unknown kernel family '" + op.getFamily() + "'");
}
