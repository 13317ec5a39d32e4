// GLM-4: Llama whose queries and keys turn in neighbouring pairs in one half of each head, with gate and up in one projection. The later
// one (`glm4`) has norms behind both parts too. Sources: Hugging Face's modeling_glm and modeling_glm4.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static DecoderConfig readGlm(ImportContext &context) {
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {10000.0, 0.5}, 1.5625e-7);
  d.rope.style = RopeStyle::interleaved;
  d.attention.qkvBias = context.config.flag("attention_bias", true);
  return d;
}

static Value network(ModelBuilder &m, Value n, const std::string &prefix, const DecoderConfig &d) {
  return fusedMlp(m, n, prefix + ".mlp.gate_up_proj", prefix + ".mlp.down_proj", d.intermediateSize, d.activation);
}

Value importGlm(ImportContext &context) {
  DecoderConfig d = readGlm(context);
  if (context.config.failed())
    return {};
  return preNormDecoder(context, d, {},
                        [&](Value n, const std::string &prefix, int64_t) { return network(context.model, n, prefix, d); });
}

Value importGlm4(ImportContext &context) {
  DecoderConfig d = readGlm(context);
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  const auto norm = [&](Value x, const std::string &module) { return m.rmsNorm(x, module, d.hiddenSize, d.eps); };
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t) {
    Value mixed = selfAttention(m, norm(h, prefix + ".input_layernorm"), prefix + ".self_attn", d.attention, {&d.rope, {}});
    h = m.add(h, norm(mixed, prefix + ".post_self_attn_layernorm"));
    Value fed = network(m, norm(h, prefix + ".post_attention_layernorm"), prefix, d);
    return m.add(h, norm(fed, prefix + ".post_mlp_layernorm"));
  });
  return languageHead(m, norm(x, "model.norm"), d);
}

} // namespace xfmr
