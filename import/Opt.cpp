// OPT: learned positions whose table begins with two rows for padding, LayerNorm before both parts of a block (behind them in
// the size of 350M), biases, ReLU, tied head. Source: Hugging Face's modeling_opt.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

// Position t has row t + 2.
static constexpr int64_t kPaddingRows = 2;

static Value readPositions(ModelBuilder &m, const DecoderConfig &d) {
  const std::string module = "model.decoder.embed_positions";
  ModelBuilder::At at(m, module);
  Value stored = m.weight(module + ".weight", {d.maxPosition + kPaddingRows, d.hiddenSize});
  auto type =
      RankedTensorType::get({d.maxPosition, d.hiddenSize}, cast<RankedTensorType>(stored.getType()).getElementType());
  return WeightSliceOp::create(m.ops(), m.loc(), type, stored, /*axis=*/0, kPaddingRows, d.maxPosition);
}

static DecoderConfig readOpt(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("hidden_size");
  d.numLayers = config.layers("num_hidden_layers");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings");
  d.intermediateSize = config.size("ffn_dim");
  d.eps = 1e-5; // PyTorch's own
  d.activation = readActivation(config, "activation_function", "relu");
  d.tied = config.flag("tie_word_embeddings", true);
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("num_attention_heads");
  a.qkvBias = a.outBias = config.flag("enable_bias", true);
  a.outModule = "out_proj";
  expectFlag(config, "layer_norm_elementwise_affine", true, true);
  const int64_t width = config.size("word_embed_proj_dim", d.hiddenSize);
  if (config.failed())
    return d;
  if (width != d.hiddenSize)
    config.refuse("word_embed_proj_dim", "is " + std::to_string(width) + ", expected hidden_size (" +
                                             std::to_string(d.hiddenSize) +
                                             "): projected embeddings are not supported");
  divideHeads(config, d);
  return d;
}

Value importOpt(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readOpt(config);
  const bool before = config.flag("do_layer_norm_before", true);
  const bool lastNorm = before && !config.flag("_remove_final_layer_norm", false);
  config.ignore({"layerdrop"});
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  beginModel(context, d);
  Value x = m.embedding("model.decoder.embed_tokens", d.vocabSize, d.hiddenSize, readPositions(m, d));
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = "model.decoder.layers." + std::to_string(layer);
    const std::string norms[] = {prefix + ".self_attn_layer_norm", prefix + ".final_layer_norm"};
    x = m.block(layer, prefix, x, [&](Value h) {
      Value n = before ? m.layerNorm(h, norms[0], d.eps) : h;
      h = m.add(h, selfAttention(m, n, prefix + ".self_attn", d.attention, {}));
      h = before ? h : m.layerNorm(h, norms[0], d.eps);
      n = before ? m.layerNorm(h, norms[1], d.eps) : h;
      h = m.add(
          h, plainMlp(m, n, prefix + ".fc1", prefix + ".fc2", d.intermediateSize, d.activation, d.attention.qkvBias));
      return before ? h : m.layerNorm(h, norms[1], d.eps);
    });
  }
  if (lastNorm)
    x = m.layerNorm(x, "model.decoder.final_layer_norm", d.eps);
  return languageHead(m, x, d, /*bias=*/false, "model.decoder.embed_tokens");
}

} // namespace xfmr
