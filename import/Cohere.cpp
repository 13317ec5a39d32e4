// Cohere (Command-R) and Cohere 2: attention and feed-forward side by side on one LayerNorm without bias, interleaved
// rotation, logits times a constant. In Cohere 2 layers slide and turn, but for every fourth, which does neither.
// Sources: Hugging Face's modeling_cohere and modeling_cohere2.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static DecoderConfig readCohere(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/true);
  d.eps = config.positive("layer_norm_eps", 1e-5);
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  d.rope.style = RopeStyle::interleaved;
  d.logitScale = config.positive("logit_scale", 0.0625);
  expectFlag(config, "use_qk_norm", false, false);
  // What code of other origin reads; the same model in any case.
  for (const char *key : {"use_embedding_sharing", "use_gated_activation", "use_parallel_block"})
    expectFlag(config, key, true, true);
  expectFlag(config, "use_parallel_embedding", false, false);
  const std::string position = config.text("position_embedding_type", "rope_gptj");
  if (position != "rope_gptj")
    config.refuse("position_embedding_type", "is \"" + position + "\", supported: rope_gptj");
  return d;
}

static Value parallelDecoder(ImportContext &context, const DecoderConfig &d, const Windows &windows) {
  ModelBuilder &m = context.model;
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    Value n = m.layerNorm(h, prefix + ".input_layernorm", d.eps, /*bias=*/false);
    Value mixed = selfAttention(m, n, prefix + ".self_attn", d.attention,
                                {d.turns(layer) ? &d.rope : nullptr, windows.empty() ? std::nullopt : windows[layer]});
    return m.add(h, m.add(mixed, gatedMlp(m, n, prefix + ".mlp", d.intermediateSize, d.activation)));
  });
  x = m.layerNorm(x, "model.norm", d.eps, /*bias=*/false);
  return m.scale(languageHead(m, x, d), d.logitScale);
}

Value importCohere(ImportContext &context) {
  DecoderConfig d = readCohere(context);
  if (context.config.failed())
    return {};
  return parallelDecoder(context, d, {});
}

Value importCohere2(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readCohere(context);
  const int64_t pattern =
      config.size(config.firstOf({"sliding_window_pattern", "_sliding_window_pattern", "layer_switch"}), 4);
  const std::string order = config.text("order_of_interleaved_layers", "local_attn_first");
  if (order != "local_attn_first")
    config.refuse("order_of_interleaved_layers", "is \"" + order + "\", supported: local_attn_first");
  config.ignore({"sliding_window_pattern", "layer_switch"});
  Windows windows = readWindows(config, d.numLayers, [=](int64_t layer) { return (layer + 1) % pattern != 0; }, 4096);
  if (config.failed())
    return {};
  for (const std::optional<int64_t> &window : windows)
    d.rotates.push_back(window.has_value());
  return parallelDecoder(context, d, windows);
}

} // namespace xfmr
