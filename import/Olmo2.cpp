// OLMo 2 and 3: norms only after attention and feed-forward, before the residual sum; query and key norms over the whole
// projection. In OLMo 3 all layers but every fourth slide, and those turn without the scaling of the others.
// Sources: Hugging Face's modeling_olmo2 and modeling_olmo3.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static DecoderConfig readOlmo(ImportContext &context) {
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {}, 1e-5);
  d.attention.qkvBias = d.attention.outBias = context.config.flag("attention_bias", false);
  d.attention.norm = QueryKeyNorm::fullWidth;
  return d;
}

static Value postNormDecoder(ImportContext &context, const DecoderConfig &d, const Windows &windows,
                             const RopeSettings &slidingRope) {
  ModelBuilder &m = context.model;
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    Value mixed = selfAttention(m, h, prefix + ".self_attn", d.attention,
                                {windows[layer] ? &slidingRope : &d.rope, windows[layer]});
    h = m.add(h, m.rmsNorm(mixed, prefix + ".post_attention_layernorm", d.hiddenSize, d.eps));
    Value fed = gatedMlp(m, h, prefix + ".mlp", d.intermediateSize, d.activation);
    return m.add(h, m.rmsNorm(fed, prefix + ".post_feedforward_layernorm", d.hiddenSize, d.eps));
  });
  return languageHead(m, m.rmsNorm(x, "model.norm", d.hiddenSize, d.eps), d);
}

Value importOlmo2(ImportContext &context) {
  DecoderConfig d = readOlmo(context);
  if (context.config.failed())
    return {};
  return postNormDecoder(context, d, Windows(d.numLayers), d.rope);
}

Value importOlmo3(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readOlmo(context);
  Windows windows = readWindows(config, d.numLayers, [](int64_t layer) { return (layer + 1) % 4 != 0; }, 4096);
  RopeSettings sliding = d.rope;
  if (!config.failed() && !readRopesByLayerType(context.mlir, config, d.attention.headDim, d.maxPosition,
                                                context.options.ropeLength, {}, {}, d.rope, sliding))
    sliding.scaling = {};
  if (config.failed())
    return {};
  return postNormDecoder(context, d, windows, sliding);
}

} // namespace xfmr
