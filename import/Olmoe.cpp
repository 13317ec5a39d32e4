// OLMoE: query and key norms over the whole projection, a mixture of many small experts in every block.
// Source: Hugging Face's modeling_olmoe.
#include "import/Families.h"
#include "import/Moe.h"

using namespace mlir;

namespace xfmr {

Value importOlmoe(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {}, 1e-5);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  d.attention.norm = QueryKeyNorm::fullWidth;
  const ExpertCounts counts = readExpertCounts(config, {"num_experts", "num_local_experts"});
  const bool norm = config.flag("norm_topk_prob", false);
  if (config.has("clip_qkv"))
    d.attention.clip = config.positive("clip_qkv");
  if (config.failed())
    return {};
  RoutingAttr routing = softmaxRouting(context.mlir, counts.topK, norm);
  ModelBuilder &m = context.model;
  return preNormDecoder(context, d, {}, [&](Value n, const std::string &prefix, int64_t) {
    Router router = readRouter(m, prefix + ".mlp.gate", counts.experts, d.hiddenSize);
    return gatedMixture(m, n, router, routing, prefix + ".mlp.experts",
                        {"gate_proj", "up_proj", "down_proj"}, counts.experts, d.intermediateSize,
                        d.activation);
  });
}

} // namespace xfmr
