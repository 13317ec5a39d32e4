// Phi 1, 1.5 and 2: attention and a network without gate side by side on one LayerNorm, biases everywhere, the head too,
// rotation of a part of each head. Source: Hugging Face's modeling_phi.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importPhi(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {10000.0, 0.5});
  d.eps = config.positive("layer_norm_eps", 1e-5);
  d.activation = readActivation(config, "hidden_act", "gelu_new");
  d.attention.qkvBias = d.attention.outBias = true;
  d.attention.outModule = "dense";
  expectFlag(config, "qk_layernorm", false, false);
  expectFlag(config, "tie_word_embeddings", false, false); // the head has a bias of its own
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t) {
    Value n = m.layerNorm(h, prefix + ".input_layernorm", d.eps);
    Value mixed = selfAttention(m, n, prefix + ".self_attn", d.attention, {&d.rope, {}});
    return m.add(h,
                 m.add(mixed, plainMlp(m, n, prefix + ".mlp.fc1", prefix + ".mlp.fc2", d.intermediateSize, d.activation,
                                       /*bias=*/true)));
  });
  return languageHead(m, m.layerNorm(x, "model.final_layernorm", d.eps), d, /*bias=*/true);
}

} // namespace xfmr
