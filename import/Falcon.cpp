// Falcon: a fused projection whose rows go group by group (the queries of a key head, that key, its value), LayerNorm, a
// network without gate beside attention. 7B has one key head for all queries and one norm, 40B (`new_decoder_architecture`)
// several key heads and a norm for each part. Source: Hugging Face's modeling_falcon.
#include "import/Families.h"
#include "weights/Expressions.h"

using namespace mlir;

namespace xfmr {
namespace {

struct FalconBlock {
  bool bias = false;
  bool parallel = true;                   // the network reads the block's input, not attention's result
  std::string attentionNorm, networkNorm; // the second empty: the network reads the first norm too
};

/// Rows of all queries (part 0), keys (1) or values (2) of a fused weight or bias.
Value partOf(ModelBuilder &m, Value fused, const AttentionConfig &a, int64_t part) {
  const int64_t group = a.numHeads / a.numKvHeads;
  SmallVector<int64_t> rows;
  for (int64_t kv = 0; kv < a.numKvHeads; ++kv)
    for (int64_t head = part == 0 ? 0 : group + part - 1; head < (part == 0 ? group : group + part); ++head)
      for (int64_t i = 0; i < a.headDim; ++i)
        rows.push_back((kv * (group + 2) + head) * a.headDim + i);
  return gatherWeight(m.ops(), m.loc(), fused, 0, rows);
}

Value attention(ModelBuilder &m, Value n, const std::string &prefix, const DecoderConfig &d, bool bias) {
  const AttentionConfig &a = d.attention;
  const std::string fused = prefix + ".query_key_value";
  const int64_t rows = (a.numHeads + 2 * a.numKvHeads) * a.headDim;
  Value w = m.adaptedWeight(fused, {rows, d.hiddenSize});
  Value b = bias ? m.weight(fused + ".bias", {rows}) : Value();
  Value qkv[3];
  for (int64_t part = 0; part < 3; ++part)
    qkv[part] = m.linearOver(n, partOf(m, w, a, part), b ? partOf(m, b, a, part) : Value());
  Value mixed = attend(m, prefix, qkv[0], qkv[1], qkv[2], a, {&d.rope, {}});
  return m.linear(mixed, prefix + ".dense", d.hiddenSize, bias);
}

FalconBlock readBlock(Config &config, AttentionConfig &a) {
  FalconBlock block;
  block.bias = config.flag("bias", false);
  const bool grouped = config.flag("new_decoder_architecture", false), oneKey = config.flag("multi_query", true);
  const bool beside = config.flag("parallel_attn", true);
  const int64_t stored = config.size(config.firstOf({"num_kv_heads", "n_head_kv"}), a.numHeads);
  const int64_t norms = config.size("num_ln_in_parallel_attn", 2);
  a.numKvHeads = grouped ? stored : oneKey ? 1 : a.numHeads;
  if (!config.failed() && a.numHeads % a.numKvHeads != 0)
    config.refuse("num_kv_heads", "is " + std::to_string(a.numKvHeads) +
                                      ", expected a divisor of num_attention_heads (" + std::to_string(a.numHeads) +
                                      ")");
  if (grouped && norms > 2)
    config.refuse("num_ln_in_parallel_attn", "is " + std::to_string(norms) + ", expected 1 or 2");
  if (grouped && norms == 1 && !beside)
    config.refuse("parallel_attn", "is false with one norm a block, which is not supported");
  block.parallel = grouped || beside;
  block.attentionNorm = grouped && norms == 2 ? "ln_attn" : "input_layernorm";
  if (grouped && norms == 2)
    block.networkNorm = "ln_mlp";
  else if (!block.parallel)
    block.networkNorm = "post_attention_layernorm";
  return block;
}

DecoderConfig readFalcon(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size(config.firstOf({"hidden_size", "n_embed"}));
  d.numLayers = config.layers(config.firstOf({"num_hidden_layers", "n_layer"}));
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings", 2048);
  d.intermediateSize = config.size("ffn_hidden_size", std::min(4 * d.hiddenSize, Config::kMaxSize));
  d.eps = config.positive("layer_norm_epsilon", 1e-5);
  d.activation = readActivation(config, "activation", "gelu");
  d.tied = config.flag("tie_word_embeddings", true);
  if (config.flag("alibi", false))
    config.refuse("alibi", "is true, but biases by distance (ALiBi) are not supported");
  AttentionConfig &a = d.attention;
  a.numHeads = config.size(config.firstOf({"num_attention_heads", "n_head"}));
  if (config.failed())
    return d;
  if (!divideHeads(config, d))
    return d;
  d.rope = readRope(context.mlir, config, a.headDim, d.maxPosition, context.options.ropeLength);
  return d;
}

} // namespace

Value importFalcon(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readFalcon(context);
  if (config.failed())
    return {};
  const FalconBlock block = readBlock(config, d.attention);
  expectFlag(config, "apply_residual_connection_post_layernorm", false,
             false); // of its first configurations; never set
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  beginModel(context, d);
  Value x = m.embedding("transformer.word_embeddings", d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = "transformer.h." + std::to_string(layer);
    x = m.block(layer, prefix, x, [&](Value h) {
      Value n = m.layerNorm(h, prefix + "." + block.attentionNorm, d.eps);
      Value mixed = attention(m, n, prefix + ".self_attention", d, block.bias);
      Value before = block.parallel ? h : m.add(h, mixed);
      if (!block.networkNorm.empty())
        n = m.layerNorm(before, prefix + "." + block.networkNorm, d.eps);
      Value fed = plainMlp(m, n, prefix + ".mlp.dense_h_to_4h", prefix + ".mlp.dense_4h_to_h", d.intermediateSize,
                           d.activation, block.bias);
      return m.add(before, block.parallel ? m.add(mixed, fed) : fed);
    });
  }
  x = m.layerNorm(x, "transformer.ln_f", d.eps);
  return languageHead(m, x, d, /*bias=*/false, "transformer.word_embeddings");
}

} // namespace xfmr
