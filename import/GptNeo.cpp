// GPT-Neo: GPT-2 with separate projections, scores without a scale, and windows in the layers that `attention_types` calls local.
// Source: Hugging Face's modeling_gpt_neo.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

static Windows readKinds(Config &config, int64_t numLayers) {
  const int64_t window = config.size("window_size", 256);
  std::vector<std::string> kinds = config.repeatedTexts("attention_types");
  if (!config.has("attention_types"))
    for (int64_t layer = 0; layer < numLayers; ++layer)
      kinds.push_back(layer % 2 == 0 ? "global" : "local");
  config.ignore({"attention_layers"}); // the same, written out
  if (!config.failed() && static_cast<int64_t>(kinds.size()) != numLayers)
    config.refuse("attention_types", "is of " + std::to_string(kinds.size()) + " layers, expected num_layers (" +
                                         std::to_string(numLayers) + ")");
  Windows windows;
  for (const std::string &kind : kinds) {
    if (kind != "global" && kind != "local")
      config.refuse("attention_types", "holds \"" + kind + "\", supported: global, local");
    windows.push_back(kind == "local" ? std::optional<int64_t>(window) : std::nullopt);
  }
  return windows;
}

static DecoderConfig readGptNeo(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = config.size("hidden_size");
  d.numLayers = config.layers(config.firstOf({"num_layers", "num_hidden_layers"}));
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings");
  d.intermediateSize = config.size("intermediate_size", 4 * d.hiddenSize);
  d.eps = config.positive("layer_norm_epsilon", 1e-5);
  d.activation = readActivation(config, "activation_function", "gelu_new");
  d.tied = config.flag("tie_word_embeddings", true);
  const char *heads = config.has("num_heads") ? "num_heads" : "num_attention_heads";
  d.attention.numHeads = d.attention.numKvHeads = config.size(heads);
  d.attention.outBias = true;
  d.attention.outModule = "out_proj";
  if (!config.failed() && divideHeads(config, d, heads))
    d.attention.scale = 1.0;
  return d;
}

Value importGptNeo(ImportContext &context) {
  Config &config = context.config;
  const DecoderConfig d = readGptNeo(config);
  const Windows windows = readKinds(config, d.numLayers);
  if (config.failed())
    return {};

  ModelBuilder &m = context.model;
  ignoreMasks(m, "attention");
  beginModel(context, d);
  const std::string root = m.hasTensor("transformer.wte.weight") ? "transformer." : "";
  Value x = m.embedding(root + "wte", d.vocabSize, d.hiddenSize, m.weight(root + "wpe.weight", {d.maxPosition, d.hiddenSize}));
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string prefix = root + "h." + std::to_string(layer);
    x = m.block(layer, prefix, x, [&](Value h) {
      Value n = m.layerNorm(h, prefix + ".ln_1", d.eps);
      h = m.add(h, selfAttention(m, n, prefix + ".attn.attention", d.attention, {nullptr, windows[layer]}));
      n = m.layerNorm(h, prefix + ".ln_2", d.eps);
      return m.add(h, plainMlp(m, n, prefix + ".mlp.c_fc", prefix + ".mlp.c_proj", d.intermediateSize, d.activation, /*bias=*/true));
    });
  }
  return languageHead(m, m.layerNorm(x, root + "ln_f", d.eps), d, /*bias=*/false, root + "wte");
}

} // namespace xfmr
