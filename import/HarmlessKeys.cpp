// See HarmlessKeys.h. The names are those of transformers' PretrainedConfig and of the configuration classes of families, as
// far as only training, generation or the choice of an implementation reads them.
#include "import/HarmlessKeys.h"
#include <algorithm>
#include <iterator>
#include <string_view>

namespace xfmr {

// Sorted.
static constexpr std::string_view kHarmless[] = {
    "architectures",
    "attention_softmax_in_fp32",
    "attn_implementation",
    "auto_map",
    "aux_loss_alpha",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "cache_implementation",
    "chunk_size_feed_forward",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "directionality",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "ep_size",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "flash_attn",
    "flash_rotary",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "fused_bias_dropout_add",
    "fused_dense",
    "gradient_checkpointing",
    "id2label",
    "init_std",
    "initializer_factor",
    "initializer_range",
    "is_decoder",
    "is_llama_config",
    "label2id",
    "length_penalty",
    "max_length",
    "max_sequence_length",
    "min_length",
    "model_max_length",
    "model_parallel",
    "n_special",
    "name_or_path",
    "neftune_noise_alpha",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_router_logits",
    "output_scores",
    "pad_token_id",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
    "predict_special_tokens",
    "prefix",
    "pretraining_tp",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "router_z_loss_coef",
    "scale_attention_softmax_in_fp32",
    "sentence_transformers",
    "sep_token_id",
    "seq_aux",
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "use_bfloat16",
    "use_cache",
    "use_flash_attention",
    "use_flash_attn",
    "use_reentrant",
};

bool isHarmlessKey(const std::string &key) {
  auto begins = [&](const char *part) { return key.rfind(part, 0) == 0; };
  auto contains = [&](const char *part) { return key.find(part) != std::string::npos; };
  // "_name_or_path"; what begins so is private to the class that wrote it.
  return begins("_") || begins("unsloth_") || contains("dropout") || contains("_pdrop") ||
         contains("_drop_prob") ||
         std::binary_search(std::begin(kHarmless), std::end(kHarmless), std::string_view(key));
}

std::vector<std::string> unknownKeys(const Config &config) {
  std::vector<std::string> keys = config.unread();
  // Of an object inside the last part of the path is the key; one key of all has a dot itself.
  const auto harmless = [](const std::string &key) { return isHarmlessKey(key) || isHarmlessKey(key.substr(key.rfind('.') + 1)); };
  keys.erase(std::remove_if(keys.begin(), keys.end(), harmless), keys.end());
  return keys;
}

} // namespace xfmr
