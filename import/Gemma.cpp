// Gemma 1 to 3 (text): norms multiply by 1 + w, the embedding is scaled by sqrt(hidden_size), the
// feed-forward is GeGLU with the tanh form whatever the config calls it. Gemma 2 adds norms after both
// parts of a block, capped scores and logits; Gemma 3 per-head norms and two rotary bases.
// Sources: Hugging Face's modeling_gemma, modeling_gemma2, modeling_gemma3.
#include "import/Families.h"
#include <cmath>

using namespace mlir;

namespace xfmr {

static DecoderConfig readGemma(ImportContext &context, const RopeDefaults &rope = {}) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/true, rope);
  // `hidden_act` says "gelu" in old files and means the tanh form.
  d.activation = readActivation(config, "hidden_activation", "gelu_pytorch_tanh");
  d.attention.qkvBias = d.attention.outBias = config.flag("attention_bias", false);
  d.normUnitOffset = d.attention.normUnitOffset = !context.form.plainNorms;
  if (!config.failed())
    d.embeddingScale = gemmaEmbeddingScale(config, d.hiddenSize);
  return d;
}

Value importGemma(ImportContext &context) {
  DecoderConfig d = readGemma(context);
  if (context.config.failed())
    return {};
  return preNormDecoder(context, d, {});
}

/// Blocks of Gemma 2 and 3: a norm before and after attention and feed-forward each.
static Value sandwichDecoder(ImportContext &context, const DecoderConfig &d, const Windows &windows,
                             const RopeSettings &slidingRope, std::optional<double> logitCap) {
  ModelBuilder &m = context.model;
  auto norm = [&](Value x, const std::string &module) {
    return m.rmsNorm(x, module, d.hiddenSize, d.eps, d.normUnitOffset);
  };
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    Value n = norm(h, prefix + ".input_layernorm");
    AttentionLayer attention{windows[layer] ? &slidingRope : &d.rope, windows[layer]};
    Value mixed = selfAttention(m, n, prefix + ".self_attn", d.attention, attention);
    h = m.add(h, norm(mixed, prefix + ".post_attention_layernorm"));
    n = norm(h, prefix + ".pre_feedforward_layernorm");
    n = gatedMlp(m, n, prefix + ".mlp", d.intermediateSize, d.activation);
    return m.add(h, norm(n, prefix + ".post_feedforward_layernorm"));
  });
  Value logits = languageHead(m, norm(x, "model.norm"), d);
  return logitCap ? m.softcap(logits, *logitCap) : logits;
}

Value importGemma2(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readGemma(context);
  d.attention.scale = 1.0 / std::sqrt(config.positive("query_pre_attn_scalar", 256.0));
  d.attention.softcap = readCap(config, "attn_logit_softcapping", 50.0);
  config.ignore({"sliding_window_size"}); // the first files have both spellings
  std::optional<double> logitCap = readCap(config, "final_logit_softcapping", 30.0);
  Windows windows = readWindows(config, d.numLayers, [](int64_t layer) { return layer % 2 == 0; }, 4096);
  if (config.failed())
    return {};
  return sandwichDecoder(context, d, windows, d.rope, logitCap);
}

Value importGemma3(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readGemma(context, {1.0e6});
  d.attention.norm = QueryKeyNorm::perHead;
  d.attention.scale = 1.0 / std::sqrt(config.positive("query_pre_attn_scalar", 256.0));
  d.attention.softcap = readCap(config, "attn_logit_softcapping");
  std::optional<double> logitCap = readCap(config, "final_logit_softcapping");
  const int64_t pattern = config.size(config.firstOf({"sliding_window_pattern", "_sliding_window_pattern"}), 6);
  Windows windows = readWindows(config, d.numLayers, [=](int64_t layer) { return (layer + 1) % pattern != 0; }, 4096);
  RopeSettings local = d.rope;
  if (!readRopesByLayerType(context.mlir, config, d.attention.headDim, d.maxPosition, context.options.ropeLength,
                            {1.0e6}, {1.0e4}, d.rope, local)) {
    local.theta = config.positive("rope_local_base_freq", 1.0e4);
    local.scaling = {};
  }
  if (config.failed())
    return {};
  return sandwichDecoder(context, d, windows, local, logitCap);
}

} // namespace xfmr
