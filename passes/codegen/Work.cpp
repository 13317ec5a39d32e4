// Operations by shape; see Work.h. Products count what their matrices say, not the pads; scores and weighted sums of values
// are two products of head_dim each.
#include "passes/codegen/Work.h"

using namespace xfmr::codegen;

namespace {

// Of latent attention keys and values are one row of the cache.
DispatchWork attention(uint64_t numHeads, uint64_t numKvHeads, uint32_t headDim, CacheType cache, uint32_t window, bool latent) {
  DispatchWork work;
  work.keyOperations = 4 * numHeads * headDim;
  work.keyBytes = static_cast<uint32_t>((latent ? 1 : 2) * numKvHeads * cacheHeadBytes(cache, headDim));
  work.window = window;
  return work;
}

DispatchWork product(uint64_t n, uint64_t k, WeightType weights) {
  DispatchWork work;
  work.rowOperations = 2 * n * k;
  work.weights = weights;
  return work;
}

DispatchWork experts(uint64_t n, uint64_t k, WeightType weights, uint32_t topK, const MoePart &part) {
  DispatchWork work = product(n, k, weights);
  work.rowOperations *= topK;
  work.chosen = topK;
  work.firstExpert = part.firstExpert;
  work.experts = part.experts;
  return work;
}

} // namespace

DispatchWork xfmr::codegen::workOf(const AttentionDecodeSpec &spec, const AttentionDecodeParams &params) {
  return attention(params.numHeads, params.numKvHeads, spec.headDim, spec.cache, reachOf(params.window, params.chunk),
                   spec.latent);
}

DispatchWork xfmr::codegen::workOf(const AttentionPrefillSpec &spec, const AttentionPrefillParams &params) {
  DispatchWork work =
      attention(params.numHeads, params.numKvHeads, spec.headDim, spec.cache, reachOf(params.window, params.chunk), spec.latent);
  work.allKeys = !spec.causal; // of a cross-attention the keys of the source, taken as those of the rows
  return work;
}

DispatchWork xfmr::codegen::workOf(const EmbeddingSpec &spec, const EmbeddingParams &params) {
  DispatchWork work;
  work.tableRows = params.tableRows;
  work.weights = spec.weight;
  return work;
}

DispatchWork xfmr::codegen::workOf(const GemmSpec &spec, const GemmParams &params) { return product(params.n, params.k, spec.weight); }
DispatchWork xfmr::codegen::workOf(const GemvSpec &spec, const GemvParams &params) { return product(params.n, params.k, spec.weight); }

DispatchWork xfmr::codegen::workOf(const HeadProductSpec &spec, const HeadProductParams &params) {
  return product(uint64_t(params.numHeads) * params.n, params.k, spec.weight);
}

DispatchWork xfmr::codegen::workOf(const MoeGemmSpec &spec, const MoeGemmParams &params) {
  return experts(params.n, params.k, spec.weight, params.layout.topK, params.part);
}
DispatchWork xfmr::codegen::workOf(const MoeGemvSpec &spec, const MoeGemvParams &params) {
  return experts(params.n, params.k, spec.weight, params.topK, params.part);
}

DispatchWork xfmr::codegen::workOf(const MoeRouterSpec &spec, const MoeRouterParams &params) {
  return product(spec.experts, params.k, spec.weight);
}
