// GPT-2: learned positions, LayerNorm, weights stored [in, out], one projection for q, k and v, tied
// head. Its configuration has names of its own. Source: Hugging Face's modeling_gpt2.
#include "import/Families.h"
#include <cmath>

using namespace mlir;

namespace xfmr {

Value importGpt2(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("n_embd");
  d.numLayers = config.size("n_layer");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size(config.firstOf({"n_positions", "n_ctx"}));
  config.ignore({"n_ctx", "reorder_and_upcast_attn"}); // the length again; an order of rounding
  d.intermediateSize = config.size("n_inner", 4 * d.hiddenSize);
  d.eps = config.positive("layer_norm_epsilon", 1e-5);
  d.activation = readActivation(config, "activation_function", "gelu_new");
  d.tied = config.flag("tie_word_embeddings", true);
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("n_head");
  const bool scaled = config.flag("scale_attn_weights", true);
  const bool byLayer = config.flag("scale_attn_by_inverse_layer_idx", false);
  if (config.failed())
    return {};
  if (d.hiddenSize % a.numHeads != 0) {
    config.refuse("n_head", "is " + std::to_string(a.numHeads) + ", expected a divisor of n_embd (" +
                                std::to_string(d.hiddenSize) + ")");
    return {};
  }
  a.headDim = d.hiddenSize / a.numHeads;
  a.scale = scaled ? 1.0 / std::sqrt(static_cast<double>(a.headDim)) : 1.0;

  ModelBuilder &m = context.model;
  ignoreMasks(m, "attn");
  const std::string root = m.hasTensor("transformer.wte.weight") ? "transformer." : "";
  beginModel(context, d);
  Value positions = m.weight(root + "wpe.weight", {d.maxPosition, d.hiddenSize});
  Value x = m.embedding(root + "wte", d.vocabSize, d.hiddenSize, positions);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = root + "h." + std::to_string(layer);
    AttentionConfig attention = a;
    if (byLayer)
      attention.scale /= static_cast<double>(layer + 1);
    x = m.block(layer, prefix, x, [&](Value h) {
      Value n = m.layerNorm(h, prefix + ".ln_1", d.eps);
      Value fused = m.linearTransposed(n, prefix + ".attn.c_attn", 3 * d.hiddenSize, true);
      SmallVector<Value> qkv = m.split(fused, {d.hiddenSize, d.hiddenSize, d.hiddenSize});
      Value mixed = attend(m, prefix + ".attn", qkv[0], qkv[1], qkv[2], attention, {});
      h = m.add(h, m.linearTransposed(mixed, prefix + ".attn.c_proj", d.hiddenSize, true));
      n = m.layerNorm(h, prefix + ".ln_2", d.eps);
      n = m.linearTransposed(n, prefix + ".mlp.c_fc", d.intermediateSize, true);
      n = m.activation(d.activation, n);
      return m.add(h, m.linearTransposed(n, prefix + ".mlp.c_proj", d.hiddenSize, true));
    });
  }
  return languageHead(m, m.layerNorm(x, root + "ln_f", d.eps), d, /*bias=*/false, root + "wte");
}

} // namespace xfmr
