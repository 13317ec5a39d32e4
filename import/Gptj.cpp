// GPT-J: attention without biases beside a network with them, both on one LayerNorm; interleaved rotation of the first
// `rotary_dim` entries of each head; a head with a bias. Source: Hugging Face's modeling_gptj.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static DecoderConfig readGptj(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("n_embd");
  d.numLayers = config.layers("n_layer");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("n_positions");
  d.intermediateSize = config.size("n_inner", std::min(4 * d.hiddenSize, Config::kMaxSize));
  d.eps = config.positive("layer_norm_epsilon", 1e-5);
  d.activation = readActivation(config, "activation_function", "gelu_new");
  expectFlag(config, "tie_word_embeddings", false, false); // the head has a bias of its own
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("n_head");
  expectFlag(config, "scale_attn_weights", true, true);
  d.rope.rotaryDim = config.has("rotary_dim") ? config.size("rotary_dim") : 0;
  config.ignore({"rotary"}); // of the first configurations, always true
  if (config.failed())
    return d;
  divideHeads(config, d, "n_head", "n_embd");
  d.rope.headDim = a.headDim;
  a.outModule = "out_proj";
  if (d.rope.rotaryDim == 0)
    d.rope.rotaryDim = a.headDim;
  if (d.rope.rotaryDim > a.headDim || d.rope.rotaryDim % 2 != 0)
    config.refuse("rotary_dim", "is " + std::to_string(d.rope.rotaryDim) + ", expected an even number up to " +
                                    std::to_string(a.headDim));
  d.rope.style = RopeStyle::interleaved;
  return d;
}

Value importGptj(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readGptj(config);
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  ignoreMasks(m, "attn");
  beginModel(context, d);
  Value x = m.embedding("transformer.wte", d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = "transformer.h." + std::to_string(layer);
    x = m.block(layer, prefix, x, [&](Value h) {
      Value n = m.layerNorm(h, prefix + ".ln_1", d.eps);
      Value mixed = selfAttention(m, n, prefix + ".attn", d.attention, {&d.rope, {}});
      return m.add(h, m.add(mixed, plainMlp(m, n, prefix + ".mlp.fc_in", prefix + ".mlp.fc_out", d.intermediateSize,
                                            d.activation, /*bias=*/true)));
    });
  }
  return languageHead(m, m.layerNorm(x, "transformer.ln_f", d.eps), d, /*bias=*/true, "transformer.wte");
}

} // namespace xfmr
