// StarCoder2: layer norms, biases on every projection (`use_bias`), a network without gate, a window over all layers.
// Source: Hugging Face's modeling_starcoder2.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importStarcoder2(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/true);
  d.eps = config.positive("norm_epsilon", 1e-5);
  d.activation = readActivation(config, "hidden_act", "gelu_pytorch_tanh");
  const bool bias = config.flag("use_bias", true);
  d.attention.qkvBias = d.attention.outBias = bias;
  // Written by the code it was trained with; the class reads none of them.
  config.ignore({"activation_function", "layer_norm_epsilon", "scale_attn_weights"});
  const std::string norm = config.text("norm_type", "layer_norm"), network = config.text("mlp_type", "default");
  if (norm != "layer_norm")
    config.refuse("norm_type", "is \"" + norm + "\", supported: layer_norm");
  if (network != "default")
    config.refuse("mlp_type", "is \"" + network + "\", supported: default");
  Windows windows = readSameWindows(config, d.numLayers);
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    Value n = m.layerNorm(h, prefix + ".input_layernorm", d.eps);
    h = m.add(h, selfAttention(m, n, prefix + ".self_attn", d.attention, {&d.rope, windows[layer]}));
    n = m.layerNorm(h, prefix + ".post_attention_layernorm", d.eps);
    return m.add(h,
                 plainMlp(m, n, prefix + ".mlp.c_fc", prefix + ".mlp.c_proj", d.intermediateSize, d.activation, bias));
  });
  return languageHead(m, m.layerNorm(x, "model.norm", d.eps), d);
}

} // namespace xfmr
