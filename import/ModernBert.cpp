// ModernBERT: an encoder of pre-norm blocks with rotary positions and GeGLU. Two of three layers see `local_attention` / 2 tokens to
// either side and turn with another base; the first block has no norm before attention, the embedding has one instead. What the
// model gives is its last hidden states: heads for other tasks are left out. Source: Hugging Face's modeling_modernbert.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

namespace {
struct ModernBert {
  DecoderConfig common;
  RopeSettings localRope;
  Windows windows;
  bool normBias = false, attentionBias = false, mlpBias = false;
};
} // namespace

static ModernBert readModernBert(ImportContext &context) {
  Config &config = context.config;
  ModernBert e;
  DecoderConfig &d = e.common;
  d.architecture = config.text("model_type");
  d.hiddenSize = d.outputWidth = config.size("hidden_size");
  d.numLayers = config.layers("num_hidden_layers");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings", 8192);
  d.intermediateSize = config.size("intermediate_size");
  d.eps = config.positive("norm_eps", 1e-5);
  d.activation = readActivation(config, "hidden_activation", "gelu");
  e.normBias = config.flag("norm_bias", false);
  e.attentionBias = config.flag("attention_bias", false);
  e.mlpBias = config.flag("mlp_bias", false);
  // What heads and other implementations read.
  config.ignore({"tie_word_embeddings", "decoder_bias", "classifier_bias", "classifier_activation",
                 "classifier_pooling", "deterministic_flash_attn", "sparse_prediction", "sparse_pred_ignore_index",
                 "reference_compile", "repad_logits_with_grad", "initializer_cutoff_factor", "cls_token_id",
                 "position_embedding_type", "layer_norm_eps"});
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("num_attention_heads");
  a.causal = false;
  const int64_t every = config.size("global_attn_every_n_layers", 3), seen = config.size("local_attention", 128) / 2;
  if (config.failed())
    return e;
  if (divideHeads(config, d))
    requirePairs(config, a.headDim);
  if (!readRopesByLayerType(context.mlir, config, a.headDim, d.maxPosition, context.options.ropeLength, {1.6e5},
                            {1.0e4}, d.rope, e.localRope)) {
    d.rope.theta = config.positive("global_rope_theta", 1.6e5);
    d.rope.headDim = d.rope.rotaryDim = a.headDim;
    e.localRope = d.rope;
    const bool same = config.mentions("local_rope_theta") && !config.has("local_rope_theta"); // null: as everywhere
    e.localRope.theta = same ? d.rope.theta : config.positive("local_rope_theta", 1.0e4);
  }
  config.ignore({"global_rope_theta", "local_rope_theta"}); // where each layer type has its rotation
  const std::vector<std::string> types = config.texts("layer_types");
  if (!types.empty() && static_cast<int64_t>(types.size()) != d.numLayers)
    config.refuse("layer_types", "has " + std::to_string(types.size()) + " entries, expected num_hidden_layers (" +
                                     std::to_string(d.numLayers) + ")");
  for (int64_t layer = 0; layer < d.numLayers && !config.failed(); ++layer) {
    const bool slides = types.empty() ? layer % every != 0 : types[layer] == "sliding_attention";
    if (!types.empty() && !slides && types[layer] != "full_attention")
      config.refuse("layer_types", "holds \"" + types[layer] + "\", supported: full_attention, sliding_attention");
    e.windows.push_back(slides ? std::optional<int64_t>(seen + 1) : std::nullopt); // a key at distance `seen` is seen
  }
  return e;
}

Value importModernBert(ImportContext &context) {
  const ModernBert e = readModernBert(context);
  const DecoderConfig &d = e.common;
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  m.ignoreWhere([](StringRef name) {
    return name.starts_with("head.") || name.starts_with("decoder.") || name.starts_with("classifier.");
  });
  auto norm = [&](Value x, const std::string &module) { return m.layerNorm(x, module, d.eps, e.normBias); };
  beginModel(context, d);
  Value x = norm(m.embedding("model.embeddings.tok_embeddings", d.vocabSize, d.hiddenSize), "model.embeddings.norm");
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string module = layerPrefix(layer), attention = module + ".attn", mlp = module + ".mlp";
    x = m.block(layer, module, x, [&](Value h) {
      Value n = layer == 0 ? h : norm(h, module + ".attn_norm");
      Value fused = m.linear(n, attention + ".Wqkv", 3 * d.hiddenSize, e.attentionBias);
      SmallVector<Value> qkv = m.split(fused, {d.hiddenSize, d.hiddenSize, d.hiddenSize});
      const AttentionLayer kind = {e.windows[layer] ? &e.localRope : &d.rope, e.windows[layer]};
      Value mixed = attend(m, attention, qkv[0], qkv[1], qkv[2], d.attention, kind);
      h = m.add(h, m.linear(mixed, attention + ".Wo", d.hiddenSize, e.attentionBias));
      n = norm(h, module + ".mlp_norm");
      const int64_t width = d.intermediateSize;
      SmallVector<Value> halves = m.split(m.linear(n, mlp + ".Wi", 2 * width, e.mlpBias), {width, width});
      Value hidden = m.mul(m.activation(d.activation, halves[0]), halves[1]);
      return m.add(h, m.linear(hidden, mlp + ".Wo", d.hiddenSize, e.mlpBias));
    });
  }
  return norm(x, "model.final_norm");
}

} // namespace xfmr
