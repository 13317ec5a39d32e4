// Phi-3.5-MoE: Mixtral's tensor names, layer norms with biases, biases on attention and head, and experts
// chosen by sparsemixer. The norms' epsilon is spelled `rms_norm_eps`. Source: Hugging Face's modeling_phimoe.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"

using namespace mlir;

namespace xfmr {

Value importPhiMoe(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {1.0e6}, 1e-5);
  const ExpertCounts counts = readExpertCounts(config, {"num_local_experts"});
  RoutingRule rule;
  rule.topK = counts.topK;
  rule.score = ScoreFunction::sparsemixer;
  rule.sparsemixerEps = config.positive("router_jitter_noise", 0.01);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  const bool headBias = config.flag("lm_head_bias", false);
  Windows windows = readSameWindows(config, d.numLayers);
  if (!config.failed() && counts.topK != 2)
    config.refuse("num_experts_per_tok",
                  "is " + std::to_string(counts.topK) + ", but sparsemixer chooses two experts");
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  RoutingAttr routing = rule.attribute(context.mlir);
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    const std::string moe = prefix + ".block_sparse_moe";
    Value n = m.layerNorm(h, prefix + ".input_layernorm", d.eps);
    h = m.add(h, selfAttention(m, n, prefix + ".self_attn", d.attention, {&d.rope, windows[layer]}));
    n = m.layerNorm(h, prefix + ".post_attention_layernorm", d.eps);
    Router router = readRouter(m, moe + ".gate", counts.experts, d.hiddenSize);
    return m.add(h, gatedMixture(m, n, router, routing, moe + ".experts", {"w1", "w3", "w2"},
                                 counts.experts, d.intermediateSize, d.activation));
  });
  x = m.layerNorm(x, "model.norm", d.eps);
  return languageHead(m, x, d, headBias);
}

} // namespace xfmr
