// Mixtral: Mistral with a mixture of experts in every block; w1 is gate, w3 up, w2 down.
// Source: Hugging Face's modeling_mixtral.
#include "import/Families.h"
#include "import/Moe.h"

using namespace mlir;

namespace xfmr {

Value importMixtral(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {1.0e6}, 1e-5);
  const ExpertCounts counts = readExpertCounts(config, {"num_local_experts", "num_experts"});
  Windows windows = readSameWindows(config, d.numLayers);
  if (config.failed())
    return {};
  RoutingAttr routing = softmaxRouting(context.mlir, counts.topK, /*normTopK=*/true);
  ModelBuilder &m = context.model;
  return preNormDecoder(context, d, windows, [&](Value n, const std::string &prefix, int64_t) {
    const std::string moe = prefix + ".block_sparse_moe";
    Router router = readRouter(m, moe + ".gate", counts.experts, d.hiddenSize);
    return gatedMixture(m, n, router, routing, moe + ".experts", {"w1", "w3", "w2"}, counts.experts, d.intermediateSize,
                        d.activation);
  });
}

} // namespace xfmr
