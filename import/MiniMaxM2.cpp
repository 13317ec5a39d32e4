// MiniMax M2: norms of queries and keys over the whole projection, rotation of a part of each head, and in every block experts that a
// sigmoid and a bias choose. Source: Hugging Face's modeling_minimax_m2; keys that only the published files have: the model's own code.
#include "import/Families.h"
#include "import/Moe.h"
#include "import/Routing.h"

using namespace mlir;

namespace xfmr {

/// What published files say of parts that this family can have and no model of it has.
static void refuseOtherParts(Config &config) {
  expectFlag(config, "use_qk_norm", true, true);
  expectFlag(config, "use_routing_bias", true, true);
  const auto expectText = [&](const char *key, const std::string &expected) {
    if (const std::string word = config.text(key, expected); word != expected)
      config.refuse(key, "is \"" + word + "\", expected \"" + expected + "\"");
  };
  expectText("qk_norm_type", "per_layer");
  expectText("scoring_func", "sigmoid");
  if (const int64_t shared = config.integer("shared_intermediate_size", 0, 0); shared > 0)
    config.refuse("shared_intermediate_size", "is " + std::to_string(shared) + ", expected 0");
  for (int64_t kind : config.integers("attn_type_list"))
    if (kind != 1)
      config.refuse("attn_type_list", "holds " + std::to_string(kind) + ", expected 1 everywhere: linear attention is not supported");
  // Heads for further tokens, which are left out, and what belongs to the parts above.
  config.ignore({"use_mtp", "num_mtp_modules", "mtp_transformer_layers", "mlp_intermediate_size", "shared_moe_mode",
                 "layernorm_full_attention_beta", "layernorm_linear_attention_beta", "layernorm_mlp_beta", "router_jitter_noise"});
}

Value importMiniMaxM2(ImportContext &context) {
  Config &config = context.config;
  RopeDefaults rope{5.0e6};
  if (config.has("rotary_dim"))
    rope.rotaryDim = config.size("rotary_dim");
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, rope);
  d.attention.norm = QueryKeyNorm::fullWidth;
  const ExpertCounts counts = readExpertCounts(config, {"num_local_experts", "num_experts"});
  refuseOtherParts(config);
  if (config.failed())
    return {};
  RoutingRule rule;
  rule.topK = counts.topK;
  rule.score = ScoreFunction::sigmoid;
  rule.norm = true;
  const RoutingAttr routing = rule.attribute(context.mlir);
  ModelBuilder &m = context.model;
  m.ignoreLayer(d.numLayers);
  return preNormDecoder(context, d, {}, [&](Value n, const std::string &prefix, int64_t) {
    const std::string moe = prefix + ".block_sparse_moe";
    Router router = readRouter(m, moe + ".gate", counts.experts, d.hiddenSize);
    router.selectionBias = m.weight(moe + ".e_score_correction_bias", {counts.experts});
    return gatedMixture(m, n, router, routing, moe + ".experts", {"w1", "w3", "w2"}, counts.experts, d.intermediateSize, d.activation);
  });
}

} // namespace xfmr
