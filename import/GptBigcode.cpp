// GPT-BigCode (SantaCoder, StarCoder): GPT-2 with plain linear layers, whose queries share one key and one value head (`multi_query`); else
// the rows of its fused projection go head by head. Source: Hugging Face's modeling_gpt_bigcode.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static DecoderConfig readBigcode(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("n_embd");
  d.numLayers = config.layers("n_layer");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("n_positions", 1024);
  d.intermediateSize = config.size("n_inner", std::min(4 * d.hiddenSize, Config::kMaxSize));
  d.eps = config.positive("layer_norm_epsilon", 1e-5);
  d.activation = readActivation(config, "activation_function", "gelu_pytorch_tanh");
  d.tied = config.flag("tie_word_embeddings", true);
  AttentionConfig &a = d.attention;
  a.numHeads = config.size("n_head");
  a.numKvHeads = config.flag("multi_query", true) ? 1 : a.numHeads;
  const bool scaled = config.flag("scale_attn_weights", true);
  // What other implementations were given.
  config.ignore({"inference_runner", "max_batch_size", "pad_key_length", "pre_allocate_kv_cache", "validate_runner_input", "n_ctx"});
  if (config.failed())
    return d;
  divideHeads(config, d, "n_head", "n_embd");
  if (!scaled)
    a.scale = 1.0;
  return d;
}

static Value attention(ModelBuilder &m, Value n, const std::string &prefix, const DecoderConfig &d) {
  const AttentionConfig &a = d.attention;
  const std::string fused = prefix + ".c_attn";
  SmallVector<Value> qkv;
  if (a.numKvHeads == 1) {
    const int64_t keys = a.headDim;
    qkv = m.split(m.linear(n, fused, d.hiddenSize + 2 * keys, /*bias=*/true), {d.hiddenSize, keys, keys});
  } else {
    Value w = m.adaptedWeight(fused, {3 * d.hiddenSize, d.hiddenSize}), b = m.weight(fused + ".bias", {3 * d.hiddenSize});
    for (int64_t part = 0; part < 3; ++part)
      qkv.push_back(m.linearOver(n, partOfHeads(m, w, a, part), partOfHeads(m, b, a, part)));
  }
  Value mixed = attend(m, prefix, qkv[0], qkv[1], qkv[2], a, {});
  return m.linear(mixed, prefix + ".c_proj", d.hiddenSize, /*bias=*/true);
}

Value importGptBigcode(ImportContext &context) {
  const DecoderConfig d = readBigcode(context.config);
  if (context.config.failed())
    return {};
  ModelBuilder &m = context.model;
  ignoreMasks(m, "attn");
  const std::string root = m.hasTensor("transformer.wte.weight") ? "transformer." : "";
  beginModel(context, d);
  Value x = m.embedding(root + "wte", d.vocabSize, d.hiddenSize, m.weight(root + "wpe.weight", {d.maxPosition, d.hiddenSize}));
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = root + "h." + std::to_string(layer);
    x = m.block(layer, prefix, x, [&](Value h) {
      h = m.add(h, attention(m, m.layerNorm(h, prefix + ".ln_1", d.eps), prefix + ".attn", d));
      Value n = m.layerNorm(h, prefix + ".ln_2", d.eps);
      return m.add(h, plainMlp(m, n, prefix + ".mlp.c_fc", prefix + ".mlp.c_proj", d.intermediateSize, d.activation, /*bias=*/true));
    });
  }
  return languageHead(m, m.layerNorm(x, root + "ln_f", d.eps), d, /*bias=*/false, root + "wte");
}

} // namespace xfmr
