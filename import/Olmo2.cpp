// OLMo 2: norms only after attention and feed-forward, before the residual sum; query and key norms
// over the whole projection. Source: Hugging Face's modeling_olmo2.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importOlmo2(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  d.attention.norm = QueryKeyNorm::fullWidth;
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  beginModel(context, d);
  Value x = m.embedding("model.embed_tokens", d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = layerPrefix(layer);
    x = m.block(layer, prefix, x, [&](Value h) {
      Value mixed = selfAttention(m, h, prefix + ".self_attn", d.attention, {&d.rope, {}});
      h = m.add(h, m.rmsNorm(mixed, prefix + ".post_attention_layernorm", d.hiddenSize, d.eps));
      Value fed = gatedMlp(m, h, prefix + ".mlp", d.intermediateSize, d.activation);
      return m.add(h, m.rmsNorm(fed, prefix + ".post_feedforward_layernorm", d.hiddenSize, d.eps));
    });
  }
  return languageHead(m, m.rmsNorm(x, "model.norm", d.hiddenSize, d.eps), d);
}

} // namespace xfmr
