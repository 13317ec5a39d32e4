// MPT: biases by distance in place of positions (ALiBi), LayerNorm without bias, no biases, a fused projection that some sizes clamp,
// tied head. Source: Hugging Face's modeling_mpt.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

/// `attn_config`; what transformers' code reads of it and of what the model's own code knows besides.
static void readAttention(Config config, DecoderConfig &d) {
  AttentionConfig &a = d.attention;
  expectFlag(config, "alibi", true, true);
  a.alibi = config.positive("alibi_bias_max", 8.0);
  if (config.has("clip_qkv"))
    a.clip = config.positive("clip_qkv");
  if (config.has("softmax_scale"))
    a.scale = config.positive("softmax_scale");
  expectFlag(config, "qk_ln", false, false);
  expectFlag(config, "prefix_lm", false, false);
  expectFlag(config, "attn_uses_sequence_id", false, false);
  if (const std::string type = config.text("attn_type", "multihead_attention"); type != "multihead_attention")
    config.refuse("attn_type", "is \"" + type + "\", supported: multihead_attention");
  config.ignore({"attn_impl", "attn_pdrop", "model_type"});
}

static DecoderConfig readMpt(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("d_model");
  d.numLayers = config.layers("n_layers");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_seq_len", 2048);
  d.eps = config.positive("layer_norm_epsilon", 1e-5);
  d.activation = ActivationKind::gelu;
  d.tied = true;
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("n_heads");
  const int64_t ratio = config.size("expansion_ratio", 4);
  expectFlag(config, "no_bias", true, true);
  if (config.has("logit_scale"))
    config.refuse("logit_scale", "is set, which is not supported");
  if (const std::string norm = config.text("norm_type", "low_precision_layernorm");
      norm != "low_precision_layernorm" && norm != "layernorm")
    config.refuse("norm_type", "is \"" + norm + "\", supported: low_precision_layernorm, layernorm");
  config.ignore({"learned_pos_emb", "init_config", "init_device", "tokenizer_name", "verbose", "embedding_fraction",
                 "use_pad_tok_in_ffn", "tie_word_embeddings", "ffn_config", "fc_type", "prefix_lm"});
  if (config.failed())
    return d;
  divideHeads(config, d, "n_heads", "d_model");
  if (d.hiddenSize * ratio > Config::kMaxSize)
    config.refuse("expansion_ratio",
                  "is " + std::to_string(ratio) + ", too large for d_model (" + std::to_string(d.hiddenSize) + ")");
  d.intermediateSize = ratio * d.hiddenSize;
  readAttention(config.object("attn_config"), d);
  return d;
}

Value importMpt(ImportContext &context) {
  DecoderConfig d = readMpt(context.config);
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  const AttentionConfig &a = d.attention;
  auto clipped = [&](Value x) { return a.clip ? m.clamp(x, *a.clip) : x; };
  auto norm = [&](Value x, const std::string &module) { return m.layerNorm(x, module, d.eps, /*bias=*/false); };
  beginModel(context, d);
  Value x = m.embedding("transformer.wte", d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = "transformer.blocks." + std::to_string(layer), module = prefix + ".attn";
    x = m.block(layer, prefix, x, [&](Value h) {
      Value fused = clipped(m.linear(norm(h, prefix + ".norm_1"), module + ".Wqkv", 3 * d.hiddenSize));
      SmallVector<Value> qkv = m.split(fused, {d.hiddenSize, d.hiddenSize, d.hiddenSize});
      Value mixed = attend(m, module, qkv[0], qkv[1], qkv[2], a, {});
      h = m.add(h, m.linear(mixed, module + ".out_proj", d.hiddenSize));
      return m.add(h, plainMlp(m, norm(h, prefix + ".norm_2"), prefix + ".ffn.up_proj", prefix + ".ffn.down_proj",
                               d.intermediateSize, d.activation, /*bias=*/false));
    });
  }
  return languageHead(m, norm(x, "transformer.norm_f"), d, /*bias=*/false, "transformer.wte");
}

} // namespace xfmr
