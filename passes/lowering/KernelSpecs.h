// Kernel specs as attributes: an `xfmr.kernel` op keeps the fields of a Spec that differ from the default.
// One `fields` function a spec serves both directions. A new kernel adds its line here and one to the list
// in KernelSpecs.cpp.
#pragma once
#include "dialect/Xfmr.h"
#include "passes/codegen/Attention.h"
#include "passes/codegen/Elementwise.h"
#include "passes/codegen/Embedding.h"
#include "passes/codegen/Gemm.h"
#include "passes/codegen/Gemv.h"
#include "passes/codegen/MoeCombine.h"
#include "passes/codegen/MoeGemm.h"
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/MoePlan.h"
#include "passes/codegen/MoeRouter.h"
#include "passes/codegen/Norm.h"
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/Sample.h"

namespace xfmr {

template <class F> void fields(codegen::Epilogue &e, F &f) {
  f("bias", e.bias), f("activation", e.activation), f("glu", e.glu), f("scale", e.scale);
  f("softcap", e.softcap), f("residual", e.residual);
}
template <class F> void fields(codegen::EmbeddingSpec &s, F &f) {
  f("weight", s.weight), f("positions", s.positions);
}
template <class F> void fields(codegen::NormSpec &s, F &f) {
  f("kind", s.kind), f("weight", s.weight), f("bias", s.bias), f("unit_offset", s.unitOffset);
  f("per_head", s.perHead), f("last_row", s.lastRow);
}
template <class F> void fields(codegen::GemvSpec &s, F &f) {
  f("weight", s.weight), f("rms_norm", s.rmsNorm), f("unit_offset", s.unitOffset);
  fields(s.epilogue, f);
}
template <class F> void fields(codegen::GemmSpec &s, F &f) {
  f("weight", s.weight);
  fields(s.epilogue, f);
}
template <class F> void fields(codegen::RopeCacheSpec &s, F &f) {
  f("cache", s.cache), f("style", s.style), f("q_norm", s.qNorm), f("k_norm", s.kNorm);
  f("unit_offset", s.unitOffset);
}
template <class F> void fields(codegen::AttentionPrefillSpec &s, F &f) {
  f("head_dim", s.headDim), f("cache", s.cache), f("causal", s.causal), f("softcap", s.softcap);
  f("sinks", s.sinks);
}
template <class F> void fields(codegen::AttentionDecodeSpec &s, F &f) {
  f("head_dim", s.headDim), f("cache", s.cache), f("single", s.single), f("softcap", s.softcap);
  f("sinks", s.sinks);
}
template <class F> void fields(codegen::AttentionCombineSpec &s, F &f) {
  f("head_dim", s.headDim), f("sinks", s.sinks);
}
template <class F> void fields(codegen::ElementwiseSpec &s, F &f) {
  f("op", s.op), f("activation", s.activation);
}
template <class F> void fields(codegen::SampleSpec &, F &) {}
template <class F> void fields(codegen::MoeEpilogue &e, F &f) {
  f("bias", e.bias), f("activation", e.activation), f("glu", e.glu), f("clamped", e.clamped);
}
template <class F> void fields(codegen::MoeTerms &t, F &f) {
  f("shared", t.shared), f("shared_gate", t.sharedGate), f("residual", t.residual);
}
template <class F> void fields(codegen::MoeRouterSpec &s, F &f) {
  f("weight", s.weight), f("experts", s.experts), f("top_k", s.topK), f("score", s.score);
  f("post_topk", s.postTopK), f("norm", s.norm), f("groups", s.groups), f("kept_groups", s.keptGroups);
  f("sum_top2", s.sumTop2), f("router_bias", s.routerBias), f("selection_bias", s.selectionBias);
  f("rms_norm", s.rmsNorm), f("unit_offset", s.unitOffset), f("rows_per_group", s.rowsPerGroup);
  f("stats", s.stats);
}
template <class F> void fields(codegen::MoePlanSpec &s, F &f) { f("drop", s.drop), f("stats", s.stats); }
template <class F> void fields(codegen::MoeGemmSpec &s, F &f) {
  f("weight", s.weight), f("product", s.product), f("weighted", s.weighted), f("tile_rows", s.tileRows);
  fields(s.epilogue, f);
}
template <class F> void fields(codegen::MoeGemvSpec &s, F &f) {
  f("weight", s.weight), f("product", s.product), f("weighted", s.weighted);
  fields(s.epilogue, f);
  fields(s.terms, f);
}
template <class F> void fields(codegen::MoeCombineSpec &s, F &f) {
  f("drop", s.drop);
  fields(s.terms, f);
}

inline llvm::StringRef familyOf(const codegen::EmbeddingSpec &) { return "embedding"; }
inline llvm::StringRef familyOf(const codegen::NormSpec &) { return "norm"; }
inline llvm::StringRef familyOf(const codegen::GemvSpec &) { return "gemv"; }
inline llvm::StringRef familyOf(const codegen::GemmSpec &) { return "gemm"; }
inline llvm::StringRef familyOf(const codegen::RopeCacheSpec &) { return "rope_cache"; }
inline llvm::StringRef familyOf(const codegen::AttentionPrefillSpec &) { return "attention_prefill"; }
inline llvm::StringRef familyOf(const codegen::AttentionDecodeSpec &) { return "attention_decode"; }
inline llvm::StringRef familyOf(const codegen::AttentionCombineSpec &) { return "attention_combine"; }
inline llvm::StringRef familyOf(const codegen::ElementwiseSpec &) { return "elementwise"; }
inline llvm::StringRef familyOf(const codegen::SampleSpec &) { return "sample"; }
inline llvm::StringRef familyOf(const codegen::MoeRouterSpec &) { return "moe_router"; }
inline llvm::StringRef familyOf(const codegen::MoePlanSpec &) { return "moe_plan"; }
inline llvm::StringRef familyOf(const codegen::MoeGemmSpec &) { return "moe_gemm"; }
inline llvm::StringRef familyOf(const codegen::MoeGemvSpec &) { return "moe_gemv"; }
inline llvm::StringRef familyOf(const codegen::MoeCombineSpec &) { return "moe_combine"; }

/// Collects every field of a spec as a named attribute, in order.
class SpecWriter {
public:
  explicit SpecWriter(mlir::MLIRContext *context) : builder(context) {}
  void operator()(llvm::StringRef name, bool value) { add(name, builder.getBoolAttr(value)); }
  void operator()(llvm::StringRef name, uint32_t value) { add(name, builder.getI64IntegerAttr(value)); }
  template <class Enum> std::enable_if_t<std::is_enum_v<Enum>> operator()(llvm::StringRef name, Enum value) {
    (*this)(name, static_cast<uint32_t>(value));
  }
  void add(llvm::StringRef name, mlir::Attribute value) {
    attributes.push_back(builder.getNamedAttr(name, value));
  }
  llvm::SmallVector<mlir::NamedAttribute> attributes;

private:
  mlir::Builder builder;
};

/// Sets the fields of a spec from a dictionary; absent ones keep their default.
class SpecReader {
public:
  explicit SpecReader(mlir::DictionaryAttr dictionary) : dictionary(dictionary) {}
  void operator()(llvm::StringRef name, bool &value) {
    if (auto attribute = dictionary.getAs<mlir::BoolAttr>(name))
      value = attribute.getValue();
  }
  void operator()(llvm::StringRef name, uint32_t &value) {
    if (auto attribute = dictionary.getAs<mlir::IntegerAttr>(name))
      value = static_cast<uint32_t>(attribute.getInt());
  }
  template <class Enum> std::enable_if_t<std::is_enum_v<Enum>> operator()(llvm::StringRef name, Enum &value) {
    uint32_t number = static_cast<uint32_t>(value);
    (*this)(name, number);
    value = static_cast<Enum>(number);
  }

private:
  mlir::DictionaryAttr dictionary;
};

/// The fields of `spec` that differ from a default-constructed one.
template <class Spec> mlir::DictionaryAttr specToAttribute(mlir::MLIRContext *context, Spec spec) {
  Spec defaults;
  SpecWriter given(context), plain(context);
  fields(spec, given);
  fields(defaults, plain);
  llvm::SmallVector<mlir::NamedAttribute> different;
  for (auto [a, b] : llvm::zip(given.attributes, plain.attributes))
    if (a != b)
      different.push_back(a);
  return mlir::DictionaryAttr::get(context, different);
}

/// Compiles the kernel an op names; fails for an unknown family.
llvm::Expected<codegen::CompiledKernel> compileKernel(mlir::MLIRContext &context, KernelOp op);

} // namespace xfmr
