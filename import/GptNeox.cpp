// GPT-NeoX and Pythia: attention and feed-forward side by side on the same input, LayerNorm, a fused
// projection whose rows go head by head (q, k, v of head 0, then of head 1, ...), partial rotation.
// Source: Hugging Face's modeling_gpt_neox.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importGptNeox(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("hidden_size");
  d.numLayers = config.size("num_hidden_layers");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings");
  d.intermediateSize = config.size("intermediate_size");
  d.eps = config.positive("layer_norm_eps", 1e-5);
  d.activation = readActivation(config, "hidden_act", "gelu");
  d.tied = config.flag("tie_word_embeddings", false);
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("num_attention_heads");
  const bool bias = config.flag("attention_bias", true);
  const bool parallel = config.flag("use_parallel_residual", true);
  if (config.failed())
    return {};
  if (!divideHeads(config, d))
    return {};
  d.rope = readRope(context.mlir, config, a.headDim, d.maxPosition, context.options.ropeLength, {10000.0, 0.25});
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  ignoreMasks(m, "attention");
  beginModel(context, d);
  Value x = m.embedding("gpt_neox.embed_in", d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = "gpt_neox.layers." + std::to_string(layer);
    x = m.block(layer, prefix, x, [&](Value h) {
      Value n = m.layerNorm(h, prefix + ".input_layernorm", d.eps);
      const std::string fused = prefix + ".attention.query_key_value";
      Value w = m.adaptedWeight(fused, {3 * d.hiddenSize, d.hiddenSize});
      Value b = bias ? m.weight(fused + ".bias", {3 * d.hiddenSize}) : Value();
      Value qkv[3];
      for (int64_t part = 0; part < 3; ++part)
        qkv[part] = m.linearOver(n, partOfHeads(m, w, a, part), b ? partOfHeads(m, b, a, part) : Value());
      Value mixed = attend(m, prefix + ".attention", qkv[0], qkv[1], qkv[2], a, {&d.rope, {}});
      mixed = m.linear(mixed, prefix + ".attention.dense", d.hiddenSize, bias);
      Value before = parallel ? h : m.add(h, mixed);
      n = m.layerNorm(before, prefix + ".post_attention_layernorm", d.eps);
      n = m.activation(d.activation,
                       m.linear(n, prefix + ".mlp.dense_h_to_4h", d.intermediateSize, true));
      n = m.linear(n, prefix + ".mlp.dense_4h_to_h", d.hiddenSize, true);
      return m.add(before, parallel ? m.add(mixed, n) : n);
    });
  }
  x = m.layerNorm(x, "gpt_neox.final_layer_norm", d.eps);
  return languageHead(m, x, d, /*bias=*/false, "gpt_neox.embed_in", "embed_out");
}

} // namespace xfmr
