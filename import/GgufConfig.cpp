// The metadata that all architectures share, in the words of config.json.
#include "import/Config.h"
#include "import/GgufFamilies.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace xfmr {

using Json = nlohmann::ordered_json;

static constexpr int64_t kMostLayers = 65536; // and experts

static void readSizes(GgufKeys &keys, int64_t vocabSize, Json &config) {
  const int64_t hidden = keys.size("embedding_length");
  // Heads for further tokens are counted among the blocks.
  const int64_t layers = keys.size("block_count") - keys.count("nextn_predict_layers", 0);
  config["hidden_size"] = hidden;
  config["num_hidden_layers"] = layers;
  config["max_position_embeddings"] = keys.size("context_length");
  const char *layerNorm = "attention.layer_norm_epsilon";
  const double eps = keys.has(layerNorm) ? keys.positive(layerNorm) : keys.positive("attention.layer_norm_rms_epsilon");
  for (const char *word : {"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps"})
    config[word] = eps;
  config["vocab_size"] = keys.size("vocab_size", vocabSize);
  const int64_t heads = keys.size("attention.head_count"), kvHeads = keys.size("attention.head_count_kv", heads);
  const int64_t headDim = keys.size("attention.key_length", std::max<int64_t>(1, hidden / heads));
  config["num_attention_heads"] = heads;
  config["num_key_value_heads"] = kvHeads;
  config["head_dim"] = headDim;
  if (layers < 1 || layers > kMostLayers)
    keys.refuse("block_count", "is " + std::to_string(layers) + ", expected at most " + std::to_string(kMostLayers));
  if (heads % kvHeads != 0)
    keys.refuse("attention.head_count_kv", "is " + std::to_string(kvHeads) +
                                               ", expected a divisor of attention.head_count (" +
                                               std::to_string(heads) + ")");
  if (heads * headDim > Config::kMaxSize)
    keys.refuse("attention.key_length",
                "is " + std::to_string(headDim) + ", too large for " + std::to_string(heads) + " heads");
  const int64_t valueDim = keys.size("attention.value_length", headDim);
  if (valueDim != headDim && !keys.has("attention.kv_lora_rank"))
    keys.refuse("attention.value_length",
                "is " + std::to_string(valueDim) + ", expected attention.key_length (" + std::to_string(headDim) + ")");
}

static void readExperts(GgufKeys &keys, Json &config) {
  if (!keys.has("expert_count")) {
    config["intermediate_size"] = keys.size("feed_forward_length");
    return;
  }
  const int64_t experts = keys.size("expert_count"), used = keys.size("expert_used_count");
  if (experts > kMostLayers)
    keys.refuse("expert_count", "is " + std::to_string(experts) + ", expected at most " + std::to_string(kMostLayers));
  if (used > experts)
    keys.refuse("expert_used_count",
                "is " + std::to_string(used) + ", expected at most expert_count (" + std::to_string(experts) + ")");
  const bool own = keys.has("expert_feed_forward_length");
  const int64_t width = keys.size(own ? "expert_feed_forward_length" : "feed_forward_length");
  for (const char *word : {"num_local_experts", "num_experts", "n_routed_experts"})
    config[word] = experts;
  config["num_experts_per_tok"] = used;
  config["moe_intermediate_size"] = width;
  config["intermediate_size"] = keys.size("feed_forward_length", width);
  keys.has("expert_shared_count");
}

/// Divisors of the frequencies in a tensor become those of a longrope without a magnitude of its own.
static Json divisorScaling(const std::vector<double> &shorter, const std::vector<double> &longer, double attention) {
  return {
      {"rope_type", "longrope"}, {"short_factor", shorter}, {"long_factor", longer}, {"attention_factor", attention}};
}

static void readRotation(GgufKeys &keys, Json &config,
                         llvm::function_ref<std::vector<double>(const std::string &)> factors) {
  const int64_t headDim = config["head_dim"], context = config["max_position_embeddings"];
  const bool latent = keys.has("attention.kv_lora_rank");
  config["rope_theta"] = keys.positive("rope.freq_base", 10000.0);
  const int64_t turning = keys.size("rope.dimension_count", headDim);
  if (turning % 2 != 0 || (turning > headDim && !latent))
    keys.refuse("rope.dimension_count", "is " + std::to_string(turning) +
                                            ", expected an even number up to the head size (" +
                                            std::to_string(headDim) + ")");
  // The importer takes the whole part of the product.
  config["partial_rotary_factor"] =
      turning == headDim ? 1.0 : (static_cast<double>(turning) + 0.5) / static_cast<double>(headDim);
  const int64_t original = keys.size("rope.scaling.original_context_length", context);
  const double magnitude = keys.positive("rope.scaling.attn_factor", 1.0);
  keys.has("rope.scaling.finetuned");
  const std::string type = keys.text("rope.scaling.type");
  if (type == "linear" || (type.empty() && keys.has("rope.scaling.factor"))) {
    config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", keys.positive("rope.scaling.factor")}};
  } else if (type == "yarn") {
    const double factor = keys.positive("rope.scaling.factor");
    Json scaling = {{"rope_type", "yarn"}, {"factor", factor}, {"original_max_position_embeddings", original}};
    scaling["attention_factor"] = magnitude * (0.1 * std::log(std::max(factor, 1.0)) + 1.0);
    for (auto [key, word] : {std::pair("yarn_beta_fast", "beta_fast"), std::pair("yarn_beta_slow", "beta_slow")})
      if (keys.has(std::string("rope.scaling.") + key))
        scaling[word] = keys.positive(std::string("rope.scaling.") + key);
    if (keys.positive("rope.scaling.yarn_ext_factor", 1.0) != 1.0)
      keys.refuse("rope.scaling.yarn_ext_factor", "is another number than 1, which cannot be imported");
    config["rope_scaling"] = scaling;
  } else if (type != "" && type != "none" && type != "longrope") {
    keys.refuse("rope.scaling.type", "is of a kind that cannot be imported, supported: none, linear, yarn, longrope");
  }
  if (const std::vector<double> all = factors("rope_freqs"); !all.empty()) { // of Llama 3.1
    config["rope_scaling"] = divisorScaling(all, all, 1.0);
  } else if (const std::vector<double> longer = factors("rope_factors_long"); !longer.empty()) {
    config["rope_scaling"] = divisorScaling(factors("rope_factors_short"), longer, magnitude);
    config["original_max_position_embeddings"] = original;
  }
}

Json readGgufConfig(const GgufFamily &family, GgufKeys &keys, int64_t vocabSize,
                    llvm::function_ref<std::vector<double>(const std::string &)> factors) {
  Json config = {{"model_type", family.modelType}};
  readSizes(keys, vocabSize, config);
  readExperts(keys, config);
  readRotation(keys, config, factors);
  config["tie_word_embeddings"] = !keys.hasTensor("output.weight");
  const bool fused = keys.hasTensor("blk.0.attn_qkv.bias");
  config["attention_bias"] = config["qkv_bias"] = fused || keys.hasTensor("blk.0.attn_q.bias");
  config["mlp_bias"] = keys.hasTensor("blk.0.ffn_up.bias");
  if (keys.has("expert_weights_norm"))
    config["norm_topk_prob"] = keys.flag("expert_weights_norm", false);
  else
    config["norm_topk_prob"] = keys.architecture == "llama" || keys.architecture == "qwen3moe";
  for (const char *key : {"bos_token_id", "eos_token_id"})
    if (std::optional<int64_t> id = keys.tokenizerNumber(key, config["vocab_size"]))
      config[key] = *id;
  family.read(keys, config);
  return config;
}

GgufShapes ggufShapes(const Json &config) {
  auto at = [&](const char *key) { return config.value(key, int64_t(0)); };
  GgufShapes shapes;
  shapes.heads = at("num_attention_heads");
  shapes.kvHeads = std::max<int64_t>(1, at("num_key_value_heads"));
  shapes.headDim = at("head_dim");
  shapes.experts = at("num_local_experts");
  return shapes;
}

} // namespace xfmr
