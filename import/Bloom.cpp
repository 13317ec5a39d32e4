// BLOOM: biases by distance in place of positions (ALiBi), a norm behind the embedding, a fused projection whose rows go head by
// head, LayerNorm and biases everywhere, tied head. Source: Hugging Face's modeling_bloom.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static DecoderConfig readBloom(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size(config.firstOf({"hidden_size", "n_embed"}));
  d.numLayers = config.layers(config.firstOf({"n_layer", "num_hidden_layers"}));
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("seq_length", 2048); // trained on; nothing in the model ends there
  d.eps = config.positive("layer_norm_epsilon", 1e-5);
  d.activation = ActivationKind::gelu_tanh;
  d.tied = config.flag("tie_word_embeddings", true);
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size(config.firstOf({"n_head", "num_attention_heads"}));
  a.alibi = 8.0;
  expectFlag(config, "apply_residual_connection_post_layernorm", false, false);
  config.ignore({"slow_but_exact", "pretraining_tp", "masked_softmax_fusion", "bias_dropout_fusion",
                 "attention_softmax_in_fp32", "skip_bias_add", "skip_bias_add_qkv", "offset_alibi", "n_inner"});
  if (config.failed())
    return d;
  divideHeads(config, d, "n_head");
  d.intermediateSize = 4 * d.hiddenSize;
  return d;
}

Value importBloom(ImportContext &context) {
  DecoderConfig d = readBloom(context.config);
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  // Files of BloomModel lack the prefix.
  const std::string root = m.hasTensor("word_embeddings.weight") && m.hasWeights() ? "" : "transformer.";
  const AttentionConfig &a = d.attention;
  beginModel(context, d);
  Value x = m.embedding(root + "word_embeddings", d.vocabSize, d.hiddenSize);
  x = m.layerNorm(x, root + "word_embeddings_layernorm", d.eps);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = root + "h." + std::to_string(layer);
    x = m.block(layer, prefix, x, [&](Value h) {
      Value n = m.layerNorm(h, prefix + ".input_layernorm", d.eps);
      const std::string module = prefix + ".self_attention", fused = module + ".query_key_value";
      Value w = m.adaptedWeight(fused, {3 * d.hiddenSize, d.hiddenSize}),
            b = m.weight(fused + ".bias", {3 * d.hiddenSize});
      Value qkv[3];
      for (int64_t part = 0; part < 3; ++part)
        qkv[part] = m.linearOver(n, partOfHeads(m, w, a, part), partOfHeads(m, b, a, part));
      Value mixed = attend(m, module, qkv[0], qkv[1], qkv[2], a, {});
      h = m.add(h, m.linear(mixed, module + ".dense", d.hiddenSize, /*bias=*/true));
      n = m.layerNorm(h, prefix + ".post_attention_layernorm", d.eps);
      return m.add(h, plainMlp(m, n, prefix + ".mlp.dense_h_to_4h", prefix + ".mlp.dense_4h_to_h", d.intermediateSize,
                               d.activation,
                               /*bias=*/true));
    });
  }
  x = m.layerNorm(x, root + "ln_f", d.eps);
  return languageHead(m, x, d, /*bias=*/false, root + "word_embeddings");
}

} // namespace xfmr
