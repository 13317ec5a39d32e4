// Llama 1 to 3: the layout that most families vary. Pre-norm blocks, rotary attention with grouped
// key/value heads, SwiGLU. Source: Hugging Face's modeling_llama.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importLlama(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  const bool mlpBias = config.flag("mlp_bias", false);
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  beginModel(context, d);
  Value x = m.embedding("model.embed_tokens", d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = layerPrefix(layer);
    x = m.block(layer, x, [&](Value h) {
      Value n = m.rmsNorm(h, prefix + ".input_layernorm", d.hiddenSize, d.eps);
      h = m.add(h, selfAttention(m, n, prefix + ".self_attn", d.attention, {&d.rope, {}}));
      n = m.rmsNorm(h, prefix + ".post_attention_layernorm", d.hiddenSize, d.eps);
      return m.add(h, gatedMlp(m, n, prefix + ".mlp", d.intermediateSize, d.activation, mlpBias));
    });
  }
  x = m.rmsNorm(x, "model.norm", d.hiddenSize, d.eps);
  return languageHead(m, x, d);
}

} // namespace xfmr
