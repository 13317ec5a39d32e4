// Phi-3, 3.5-mini and 4-mini: the Llama block over fused projections: qkv_proj holds q, k, v rows,
// gate_up_proj gate rows then up rows. Source: Hugging Face's modeling_phi3.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

Value importPhi3(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {}, 1e-5);
  Windows windows = readSameWindows(config, d.numLayers);
  config.ignore({"original_max_position_embeddings"}); // where nothing is stretched
  if (config.flag("attention_bias", false))
    config.refuse("attention_bias", "is true, expected false for phi3");
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  const AttentionConfig &a = d.attention;
  const int64_t queryWidth = a.numHeads * a.headDim, keyWidth = a.numKvHeads * a.headDim;
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    Value n = m.rmsNorm(h, prefix + ".input_layernorm", d.hiddenSize, d.eps);
    Value fused = m.linear(n, prefix + ".self_attn.qkv_proj", queryWidth + 2 * keyWidth);
    SmallVector<Value> qkv = m.split(fused, {queryWidth, keyWidth, keyWidth});
    Value mixed = attend(m, prefix + ".self_attn", qkv[0], qkv[1], qkv[2], a, {&d.rope, windows[layer]});
    h = m.add(h, m.linear(mixed, prefix + ".self_attn.o_proj", d.hiddenSize));
    n = m.rmsNorm(h, prefix + ".post_attention_layernorm", d.hiddenSize, d.eps);
    return m.add(h, fusedMlp(m, n, prefix + ".mlp.gate_up_proj", prefix + ".mlp.down_proj", d.intermediateSize, d.activation));
  });
  return languageHead(m, m.rmsNorm(x, "model.norm", d.hiddenSize, d.eps), d);
}

} // namespace xfmr
