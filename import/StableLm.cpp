// StableLM: Llama with layer norms, rotation of a part of each head, and in some sizes attention beside the network
// (`use_parallel_residual`). Source: Hugging Face's modeling_stablelm.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importStableLm(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {10000.0, 0.25});
  d.eps = config.positive(config.firstOf({"layer_norm_eps", "norm_eps"}), 1e-5);
  d.attention.qkvBias = config.flag("use_qkv_bias", false);
  const bool parallel = config.flag("use_parallel_residual", false);
  expectFlag(config, "qk_layernorm", false, false);
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t) {
    Value n = m.layerNorm(h, prefix + ".input_layernorm", d.eps);
    Value mixed = selfAttention(m, n, prefix + ".self_attn", d.attention, {&d.rope, {}});
    Value before = parallel ? h : m.add(h, mixed);
    if (!parallel)
      n = m.layerNorm(before, prefix + ".post_attention_layernorm", d.eps);
    Value fed = gatedMlp(m, n, prefix + ".mlp", d.intermediateSize, d.activation);
    return m.add(before, parallel ? m.add(mixed, fed) : fed);
  });
  return languageHead(m, m.layerNorm(x, "model.norm", d.eps), d);
}

} // namespace xfmr
