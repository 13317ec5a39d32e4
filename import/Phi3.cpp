// Phi-3, 3.5-mini and 4-mini: the Llama block over fused projections: qkv_proj holds q, k, v rows,
// gate_up_proj gate rows then up rows. Source: Hugging Face's modeling_phi3.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

/// gate_up_proj is already what `xfmr.glu` takes, unless an adapter sits on it.
static Value fusedMlp(ModelBuilder &m, Value x, const std::string &prefix, const DecoderConfig &d) {
  ModelBuilder::At at(m, prefix);
  const int64_t width = d.intermediateSize;
  const std::string module = prefix + ".gate_up_proj";
  Value hidden;
  if (m.adapter() && m.adapter()->use(module)) {
    SmallVector<Value> halves = m.split(m.linear(x, module, 2 * width), {width, width});
    hidden = m.mul(m.activation(d.activation, halves[0]), halves[1]);
  } else {
    hidden = GluOp::create(m.ops(), m.loc(), m.activationType(width), x,
                           m.weight(module + ".weight", {2 * width, d.hiddenSize}), Value(),
                           d.activation, GluLayout::concat, FloatAttr(), FloatAttr());
  }
  return m.linear(hidden, prefix + ".down_proj", d.hiddenSize);
}

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
    return m.add(h, fusedMlp(m, n, prefix + ".mlp", d));
  });
  return languageHead(m, m.rmsNorm(x, "model.norm", d.hiddenSize, d.eps), d);
}

} // namespace xfmr
