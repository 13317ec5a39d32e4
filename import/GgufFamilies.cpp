// See GgufFamilies.h. What a key means is what readers of such files compute from it; constants that they have in their code and that no
// key says stand here too, so that a model with others is refused when it is written.
#include "import/GgufFamilies.h"
#include "import/Config.h"
#include "import/GgufTables.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace xfmr {

using Json = nlohmann::ordered_json;
using namespace gguf;

namespace {

void rename(Json &config, std::initializer_list<std::pair<const char *, const char *>> words) {
  for (const auto &[from, to] : words)
    if (config.contains(from))
      config[to] = config[from];
}

int64_t number(const Json &config, const char *key) {
  return config.value(key, int64_t(1));
}

/// The window of the layers that have one, and which those are: the file's own pattern, or every `period`-th layer sees everything.
/// `first`: that is the first of a period, not the last.
void readPattern(GgufKeys &keys, Json &config, int64_t period, std::optional<int64_t> absentWindow = std::nullopt,
                 bool first = false) {
  const int64_t layers = number(config, "num_hidden_layers");
  const int64_t window = keys.count("attention.sliding_window", absentWindow ? *absentWindow : 0);
  std::optional<std::vector<bool>> slides = keys.flags("attention.sliding_window_pattern");
  if (!slides && keys.has("attention.sliding_window_pattern"))
    period = keys.size("attention.sliding_window_pattern");
  if (slides && static_cast<int64_t>(slides->size()) != layers)
    return keys.refuse("attention.sliding_window_pattern", "has " + std::to_string(slides->size()) +
                                                               " entries, expected block_count (" +
                                                               std::to_string(layers) + ")");
  Json types = Json::array();
  for (int64_t layer = 0; layer < layers; ++layer) {
    const bool one = slides ? (*slides)[layer] : first ? layer % period != 0 : layer % period < period - 1;
    types.push_back(window > 0 && one ? "sliding_attention" : "full_attention");
  }
  config["layer_types"] = types;
  config["sliding_window"] = window > 0 ? Json(window) : Json();
}

void readWindow(GgufKeys &keys, Json &config) {
  const int64_t window = keys.count("attention.sliding_window", 0);
  config["sliding_window"] = window > 0 ? Json(window) : Json();
}

void readNothing(GgufKeys &, Json &) {
}

void readMistral(GgufKeys &keys, Json &config) {
  readWindow(keys, config);
}

void readMinistral3(GgufKeys &keys, Json &config) {
  readWindow(keys, config);
  Json rope = config.value("rope_scaling", Json());
  if (!rope.is_object())
    rope = {{"rope_type", "default"}};
  if (keys.has("rope.scaling.yarn_log_multiplier")) { // where the factor of YaRN itself is for 1
    rope["mscale"] = 1.0;
    rope["mscale_all_dim"] = keys.positive("rope.scaling.yarn_log_multiplier");
    rope.erase("attention_factor");
  }
  rope["rope_theta"] = config["rope_theta"];
  rope["llama_4_scaling_beta"] = keys.has("attention.temperature_scale") ? keys.positive("attention.temperature_scale") : 0.0;
  config.erase("rope_scaling");
  config["rope_parameters"] = rope;
}

void readQwen(GgufKeys &keys, Json &config) {
  readWindow(keys, config);
  config["use_sliding_window"] = !config["sliding_window"].is_null();
  config["max_window_layers"] = 0;
}

void readQwenMoe(GgufKeys &keys, Json &config) {
  readQwen(keys, config);
  if (keys.has("expert_shared_feed_forward_length"))
    config["shared_expert_intermediate_size"] = keys.size("expert_shared_feed_forward_length");
  else if (config["model_type"] == "qwen2_moe") // of the first files
    config["shared_expert_intermediate_size"] = config.value("intermediate_size", Json());
  config["decoder_sparse_step"] = 1;
}

void readSmolLm3(GgufKeys &, Json &config) {
  config["no_rope_layer_interval"] = 4;
}

void readGranite(GgufKeys &keys, Json &config) {
  const double head = static_cast<double>(number(config, "head_dim"));
  config["embedding_multiplier"] = keys.positive("embedding_scale", 1.0);
  config["residual_multiplier"] = keys.positive("residual_scale", 1.0);
  config["attention_multiplier"] = keys.positive("attention.scale", 1.0 / std::sqrt(head));
  config["logits_scaling"] = keys.positive("logit_scale");
  if (keys.count("expert_shared_feed_forward_length", 0) > 0)
    keys.refuse("expert_shared_feed_forward_length",
                "is set, but a shared expert of this architecture cannot be imported");
}

void readGemma(GgufKeys &, Json &config) {
  config["hidden_activation"] = "gelu_pytorch_tanh";
  config["tie_word_embeddings"] = true;
}

void readGemmaScale(Json &config, int64_t largest) {
  const int64_t hidden = number(config, "hidden_size"), heads = number(config, "num_attention_heads");
  config["query_pre_attn_scalar"] =
      number(config, "num_hidden_layers") == largest ? Json(hidden / heads) : config.value("head_dim", Json());
}

void readGemma2(GgufKeys &keys, Json &config) {
  readGemma(keys, config);
  readGemmaScale(config, 46);
  config["attn_logit_softcapping"] = keys.positive("attn_logit_softcapping", 50.0);
  config["final_logit_softcapping"] = keys.positive("final_logit_softcapping", 30.0);
  readPattern(keys, config, 2, 4096);
}

/// The two rotations by layer type; the sliding one without scaling.
void readTwoRotations(GgufKeys &keys, Json &config, double absentSliding) {
  Json full = config.value("rope_scaling", Json());
  if (!full.is_object())
    full = {{"rope_type", "default"}};
  full["rope_theta"] = config["rope_theta"];
  Json sliding = {{"rope_type", "default"}, {"rope_theta", keys.positive("rope.freq_base_swa", absentSliding)}};
  config.erase("rope_scaling");
  config["rope_parameters"] = {{"full_attention", full}, {"sliding_attention", sliding}};
}

void readGemma3(GgufKeys &keys, Json &config) {
  const bool tied = config["tie_word_embeddings"];
  readGemma(keys, config);
  config["tie_word_embeddings"] = tied;
  readGemmaScale(config, 62);
  if (keys.has("final_logit_softcapping"))
    config["final_logit_softcapping"] = keys.positive("final_logit_softcapping");
  readPattern(keys, config, 6);
  readTwoRotations(keys, config, 1.0e4);
}

void readPhi3(GgufKeys &keys, Json &config) {
  config["attention_bias"] = false;
  readWindow(keys, config);
}

void readPhiMoe(GgufKeys &keys, Json &config) {
  readWindow(keys, config);
  config["lm_head_bias"] = keys.hasTensor("output.bias");
}

void readStableLm(GgufKeys &keys, Json &config) {
  keys.has("use_parallel_residual"); // the norm that such blocks lack says it
  config["use_parallel_residual"] = !keys.hasTensor("blk.0.ffn_norm.weight");
  config["use_qkv_bias"] = config["attention_bias"];
  config["qk_layernorm"] = keys.hasTensor("blk.0.attn_q_norm.weight");
}

void readStarcoder2(GgufKeys &keys, Json &config) {
  config["use_bias"] = config["attention_bias"];
  readWindow(keys, config);
}

void readGptNeox(GgufKeys &keys, Json &config) {
  config["use_parallel_residual"] = keys.flag("use_parallel_residual", true);
}

void readGpt2(GgufKeys &, Json &config) {
  rename(config, {{"hidden_size", "n_embd"},
                  {"num_hidden_layers", "n_layer"},
                  {"max_position_embeddings", "n_positions"},
                  {"intermediate_size", "n_inner"},
                  {"num_attention_heads", "n_head"}});
}

void readBigcode(GgufKeys &keys, Json &config) {
  readGpt2(keys, config);
  const int64_t heads = number(config, "num_attention_heads"), kvHeads = number(config, "num_key_value_heads");
  if (kvHeads != 1 && kvHeads != heads)
    keys.refuse("attention.head_count_kv", "is " + std::to_string(kvHeads) + ", expected 1 or attention.head_count (" +
                                               std::to_string(heads) + ")");
  config["multi_query"] = kvHeads == 1;
}

void readErnie(GgufKeys &, Json &config) { config["use_bias"] = config["attention_bias"]; }

void readExaone4(GgufKeys &keys, Json &config) { readPattern(keys, config, 4); }

void readSeedOss(GgufKeys &keys, Json &config) { config["attention_out_bias"] = keys.hasTensor("blk.0.attn_output.bias"); }

void readBloom(GgufKeys &, Json &config) {
  rename(
      config,
      {{"max_position_embeddings", "seq_length"}, {"num_hidden_layers", "n_layer"}, {"num_attention_heads", "n_head"}});
}

void readMpt(GgufKeys &keys, Json &config) {
  rename(config, {{"hidden_size", "d_model"},
                  {"num_hidden_layers", "n_layers"},
                  {"max_position_embeddings", "max_seq_len"},
                  {"num_attention_heads", "n_heads"}});
  const int64_t width = number(config, "intermediate_size"), hidden = number(config, "hidden_size");
  if (width % hidden != 0)
    keys.refuse("feed_forward_length", "is " + std::to_string(width) + ", expected a multiple of embedding_length (" +
                                           std::to_string(hidden) + ")");
  config["expansion_ratio"] = std::max<int64_t>(1, width / hidden);
  Json attention = {{"alibi", keys.has("attention.max_alibi_bias")}};
  if (keys.has("attention.max_alibi_bias"))
    attention["alibi_bias_max"] = keys.positive("attention.max_alibi_bias");
  if (keys.has("attention.clamp_kqv"))
    attention["clip_qkv"] = keys.positive("attention.clamp_kqv");
  attention["qk_ln"] = keys.hasTensor("blk.0.attn_q_norm.weight");
  config["attn_config"] = attention;
  config["no_bias"] = !keys.hasTensor("blk.0.attn_norm.bias");
}

void readFalcon(GgufKeys &keys, Json &config) {
  const bool two = keys.hasTensor("blk.0.attn_norm_2.weight");
  const int64_t kvHeads = number(config, "num_key_value_heads");
  keys.has("tensor_data_layout"); // the order of rows, of which there is one now
  config["new_decoder_architecture"] = two || kvHeads > 1;
  config["num_ln_in_parallel_attn"] = two ? 2 : 1;
  config["num_kv_heads"] = kvHeads;
  config["ffn_hidden_size"] = number(config, "intermediate_size");
  config["bias"] = config["attention_bias"];
}

void readCohere(GgufKeys &keys, Json &config) {
  config["logit_scale"] = keys.positive("logit_scale");
  config["use_qk_norm"] = keys.hasTensor("blk.0.attn_q_norm.weight");
  config["tie_word_embeddings"] = true;
}

void readCohere2(GgufKeys &keys, Json &config) {
  readCohere(keys, config);
  readPattern(keys, config, 4);
}

void readOlmo3(GgufKeys &keys, Json &config) {
  readPattern(keys, config, 4);
  readTwoRotations(keys, config, config["rope_theta"]);
}

void readOlmoe(GgufKeys &keys, Json &config) {
  if (keys.has("attention.clamp_kqv"))
    config["clip_qkv"] = keys.positive("attention.clamp_kqv");
}

void readGptOss(GgufKeys &keys, Json &config) {
  rename(config, {{"moe_intermediate_size", "intermediate_size"}});
  readPattern(keys, config, 2);
  if (config.contains("rope_scaling") && config["rope_scaling"].is_object())
    config["rope_scaling"]["truncate"] = false;
}

void readSigmoidRouting(GgufKeys &keys, Json &config, bool sigmoid) {
  config["first_k_dense_replace"] = keys.count("leading_dense_block_count", 0);
  config["n_shared_experts"] = keys.count("expert_shared_count", 0);
  config["routed_scaling_factor"] = keys.positive("expert_weights_scale", 1.0);
  config["scoring_func"] = sigmoid ? "sigmoid" : "softmax";
  const int64_t groups = keys.size("expert_group_count", 1);
  config["topk_method"] = sigmoid ? "noaux_tc" : groups > 1 ? "group_limited_greedy" : "greedy";
  config["n_group"] = groups;
  config["topk_group"] = keys.size("expert_group_used_count", 1);
  config["norm_topk_prob"] = keys.flag("expert_weights_norm", false);
}

void readDeepseek(GgufKeys &keys, Json &config) {
  constexpr int64_t kSigmoid = 2;
  const int64_t scores = keys.count("expert_gating_func", 1);
  if (scores > kSigmoid)
    keys.refuse("expert_gating_func", "is " + std::to_string(scores) + ", expected 1 (softmax) or 2 (sigmoid)");
  config["model_type"] = scores == kSigmoid ? "deepseek_v3" : "deepseek_v2";
  readSigmoidRouting(keys, config, scores == kSigmoid);
  if (const int64_t rank = keys.count("attention.q_lora_rank", 0); rank > 0)
    config["q_lora_rank"] = rank;
  config["kv_lora_rank"] = keys.size("attention.kv_lora_rank");
  const int64_t rope = keys.size("rope.dimension_count");
  const bool split = keys.has("attention.key_length_mla"); // latents as one head, as later files have them
  const int64_t key = keys.size(split ? "attention.key_length_mla" : "attention.key_length");
  if (key <= rope)
    keys.refuse("attention.key_length", "is " + std::to_string(key) + ", expected more than rope.dimension_count (" +
                                            std::to_string(rope) + ")");
  config["qk_rope_head_dim"] = rope;
  config["qk_nope_head_dim"] = std::max<int64_t>(1, key - rope);
  config["v_head_dim"] = keys.size(split ? "attention.value_length_mla" : "attention.value_length");
  config["num_key_value_heads"] = config["num_attention_heads"];
  config.erase("head_dim");
  config.erase("partial_rotary_factor");
  if (Json &scaling = config["rope_scaling"]; scaling.is_object() && scaling.value("rope_type", "") == "yarn") {
    const double multiplier = keys.positive("rope.scaling.yarn_log_multiplier") / 0.1;
    scaling["mscale"] = scaling["mscale_all_dim"] = std::round(multiplier * 1e6) / 1e6;
    scaling.erase("attention_factor");
  }
}

void readErnieMoe(GgufKeys &keys, Json &config) {
  rename(config, {{"num_local_experts", "moe_num_experts"}, {"num_experts_per_tok", "moe_k"}});
  config["moe_layer_start_index"] = keys.count("leading_dense_block_count", 0);
  config["moe_layer_interval"] = keys.size("interleave_moe_layer_step");
  const int64_t width = std::max<int64_t>(1, number(config, "moe_intermediate_size"));
  const int64_t shared = keys.count("expert_shared_feed_forward_length", 0);
  if (shared % width != 0)
    keys.refuse("expert_shared_feed_forward_length",
                "is " + std::to_string(shared) + ", expected a multiple of expert_feed_forward_length (" + std::to_string(width) + ")");
  config["moe_num_shared_experts"] = shared / width;
}

void readGlm4Moe(GgufKeys &keys, Json &config) {
  keys.has("expert_gating_func");
  readSigmoidRouting(keys, config, true);
  config["use_qk_norm"] = keys.hasTensor("blk.0.attn_q_norm.weight");
}

void readDots1(GgufKeys &keys, Json &config) {
  keys.has("expert_gating_func");
  readSigmoidRouting(keys, config, true);
  if (keys.has("attention.sliding_window_pattern"))
    readPattern(keys, config, 1);
  else
    readWindow(keys, config);
  config["max_window_layers"] = 0;
}

void readMiniMaxM2(GgufKeys &keys, Json &config) {
  if (const int64_t scores = keys.count("expert_gating_func", 2); scores != 2)
    keys.refuse("expert_gating_func", "is " + std::to_string(scores) + ", expected 2 (sigmoid)");
  rename(config, {{"moe_intermediate_size", "intermediate_size"}});
}

void readLlama4(GgufKeys &keys, Json &config) {
  keys.has("expert_gating_func");
  rename(config, {{"intermediate_size", "intermediate_size_mlp"}, {"moe_intermediate_size", "intermediate_size"}});
  config["interleave_moe_layer_step"] = keys.size("interleave_moe_layer_step");
  if (keys.has("attention.sliding_window") && keys.count("attention.sliding_window") == 0)
    keys.refuse("attention.sliding_window", "is 0, but a model of this architecture without chunks cannot be imported");
  config["no_rope_layer_interval"] = 4;
  config["attention_chunk_size"] = 8192;
  config["floor_scale"] = 8192;
  config["attn_scale"] = 0.1;
  config["use_qk_norm"] = number(config, "num_local_experts") != 128;
}

void readBert(GgufKeys &keys, Json &config) {
  config["model_type"] = "bert"; // positions behind the padding id are cut off
  keys.has("pooling_type");
  if (keys.flag("attention.causal", false))
    keys.refuse("attention.causal", "is true, expected false");
  constexpr int64_t kMostTypes = 65536;
  config["type_vocab_size"] =
      keys.hasTensor("token_types.weight") ? keys.tokenizerNumber("token_type_count", kMostTypes).value_or(2) : 0;
  config["layer_norm_eps"] = keys.positive("attention.layer_norm_epsilon");
}

void readModernBert(GgufKeys &keys, Json &config) {
  keys.has("pooling_type");
  keys.flag("attention.causal", false);
  readPattern(keys, config, 3, std::nullopt, /*first=*/true);
  const int64_t window = keys.count("attention.sliding_window", 0);
  config["local_attention"] = window > 0 ? Json(window) : Json();
  readTwoRotations(keys, config, 1.0e4);
  for (const char *kind : {"full_attention", "sliding_attention"}) // nothing is scaled
    if (config["rope_parameters"][kind].value("rope_type", "") != "default")
      keys.refuse("rope.scaling.type", "is set, which this architecture cannot import");
  if (const std::string word = keys.text("hidden_activation"); !word.empty())
    config["hidden_activation"] = word;
}

void readT5(GgufKeys &keys, Json &config) {
  rename(config, {{"hidden_size", "d_model"},
                  {"intermediate_size", "d_ff"},
                  {"num_hidden_layers", "num_layers"},
                  {"num_attention_heads", "num_heads"},
                  {"head_dim", "d_kv"}});
  config["num_decoder_layers"] = keys.size("decoder_block_count", number(config, "num_hidden_layers"));
  config["relative_attention_num_buckets"] = keys.size("attention.relative_buckets_count");
  config["relative_attention_max_distance"] = 128;
  config["decoder_start_token_id"] = keys.count("decoder_start_token_id", 0);
  config["is_encoder_decoder"] = true;
  // A gate means GELU, none ReLU; a head is scaled where it is the embedding.
  config["feed_forward_proj"] = keys.hasTensor("enc.blk.0.ffn_gate.weight") ? "gated-gelu" : "relu";
}

} // namespace

llvm::ArrayRef<GgufFamily> ggufFamilies() {
  static const GgufFamily all[] = {
      {"llama", "llama", readNothing, {}, /*interleaved=*/true},
      {"llama", "mistral", readMistral, {}, /*interleaved=*/true},
      {"llama", "mixtral", readMistral, kMixtralNames, /*interleaved=*/true},
      {"mistral3", "ministral3", readMinistral3, {}, /*interleaved=*/true},
      {"llama4", "llama4_text", readLlama4, kLlama4Names},
      {"qwen2", "qwen2", readQwen, {}},
      {"qwen2moe", "qwen2_moe", readQwenMoe, kQwenMoeNames},
      {"qwen3", "qwen3", readQwen, {}},
      {"qwen3moe", "qwen3_moe", readQwenMoe, kQwenMoeNames},
      {"smollm3", "smollm3", readSmolLm3, {}, /*interleaved=*/true},
      {"granite", "granite", readGranite, {}, /*interleaved=*/true},
      {"granitemoe", "granitemoe", readGranite, kGraniteMoeNames, /*interleaved=*/true},
      {"gemma", "gemma", readGemma, {}, false, /*plainNorms=*/true},
      {"gemma2", "gemma2", readGemma2, kSandwichNames, false, /*plainNorms=*/true},
      {"gemma3", "gemma3_text", readGemma3, kSandwichNames, false, /*plainNorms=*/true},
      {"arcee", "arcee", readNothing, {}, /*interleaved=*/true},
      {"ernie4_5", "ernie4_5", readErnie, {}},
      {"ernie4_5-moe", "ernie4_5_moe", readErnieMoe, kErnieMoeNames},
      {"exaone4", "exaone4", readExaone4, kSandwichNames},
      {"seed_oss", "seed_oss", readSeedOss, kSeedOssNames},
      {"olmo2", "olmo2", readNothing, kSandwichNames},
      {"olmo2", "olmo3", readOlmo3, kSandwichNames},
      {"olmoe", "olmoe", readOlmoe, kQwenMoeNames},
      {"phi2", "phi", readNothing, kPhiNames},
      {"phi3", "phi3", readPhi3, kPhi3Names},
      {"phimoe", "phimoe", readPhiMoe, kMixtralNames},
      {"stablelm", "stablelm", readStableLm, {}},
      {"starcoder2", "starcoder2", readStarcoder2, kStarcoder2Names},
      {"command-r", "cohere", readCohere, {}},
      {"cohere2", "cohere2", readCohere2, {}},
      {"falcon", "falcon", readFalcon, kFalconBloomNames},
      {"bloom", "bloom", readBloom, kFalconBloomNames},
      {"mpt", "mpt", readMpt, kMptNames},
      {"gpt2", "gpt2", readGpt2, kGpt2Names},
      {"starcoder", "gpt_bigcode", readBigcode, kBigcodeNames},
      {"gptneox", "gpt_neox", readGptNeox, kGptNeoxNames},
      {"gpt-oss", "gpt_oss", readGptOss, kGptOssNames},
      {"deepseek2", "deepseek_v3", readDeepseek, kDeepseekNames},
      {"deepseek2", "deepseek_v2", readDeepseek, kDeepseekNames},
      {"deepseek2", "kimi_k2", readDeepseek, kDeepseekNames},
      {"glm4moe", "glm4_moe", readGlm4Moe, kGlm4MoeNames},
      {"dots1", "dots1", readDots1, kDots1Names},
      {"glm4", "glm4", readNothing, kGlm4Names},
      {"minimax-m2", "minimax_m2", readMiniMaxM2, kMiniMaxM2Names},
      {"bert", "bert", readBert, kBertNames},
      {"bert", "roberta", readBert, kBertNames},
      {"bert", "xlm-roberta", readBert, kBertNames},
      {"bert", "camembert", readBert, kBertNames},
      {"bert", "distilbert", readBert, kBertNames},
      {"modern-bert", "modernbert", readModernBert, kModernBertNames},
      {"t5", "t5", readT5, kT5Names},
      {"t5", "mt5", readT5, kT5Names},
  };
  return all;
}

const GgufFamily *ggufFamilyFor(llvm::StringRef modelType) {
  for (const GgufFamily &family : ggufFamilies())
    if (modelType == family.modelType)
      return &family;
  return nullptr;
}

const GgufFamily *ggufFamilyOf(GgufKeys &keys) {
  const bool windows = keys.count("attention.sliding_window", 0) > 0;
  if (keys.architecture == "llama")
    return ggufFamilyFor(keys.has("expert_count") ? "mixtral" : windows ? "mistral" : "llama");
  if (keys.architecture == "olmo2")
    return ggufFamilyFor(windows ? "olmo3" : "olmo2");
  for (const GgufFamily &family : ggufFamilies())
    if (keys.architecture == family.architecture)
      return &family;
  return nullptr;
}

} // namespace xfmr
