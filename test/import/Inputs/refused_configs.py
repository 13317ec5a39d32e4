"""Configurations with one thing wrong, by family: what xfmr-import answers. refused_configs.py FOLDER"""
import json
import os
import subprocess
import sys

DECODER = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 16,
           "max_position_embeddings": 32}
LATENT = {**DECODER, "model_type": "deepseek_v3", "kv_lora_rank": 2, "qk_nope_head_dim": 2, "qk_rope_head_dim": 2, "v_head_dim": 2,
          "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 8, "topk_method": "noaux_tc",
          "scoring_func": "sigmoid", "n_group": 4, "topk_group": 2}
LLAMA = {**DECODER, "model_type": "llama"}
COHERE = {**DECODER, "model_type": "cohere2"}
FALCON = {**DECODER, "model_type": "falcon", "new_decoder_architecture": True}
LONG = {"rope_type": "longrope", "short_factor": [1.0, 0.0], "long_factor": [1.0, 1.0]}

# base, keys, options, the error behind the file's name
CASES = [
    ({**DECODER, "model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8},
     {"mlp_only_layers": [-1]}, 'key "mlp_only_layers" is [-1], expected a list of integers from 0 to 2147483647'),
    (LLAMA, {"rope_scaling": {**LONG, "short_factor": [1.0, "2"]}},
     'key "rope_scaling.short_factor" is [1.0,"2"], expected a list of finite numbers'),
    (LLAMA, {"rope_scaling": LONG}, 'key "rope_scaling.short_factor" holds 0.000000, expected numbers above 0'),
    (LLAMA, {"rope_scaling": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4,
                              "original_max_position_embeddings": 16}},
     'key "rope_scaling.high_freq_factor" is 4.000000, expected more than low_freq_factor (4.000000)'),
    (LLAMA, {"head_dim": 2, "rope_scaling": {"rope_type": "dynamic", "factor": 2.0}},
     'key "rope_scaling.factor" cannot stretch heads of 2 rotary entries to 64 positions'),
    ({**DECODER, "model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2}, {"layer_types": ["full_attention", 3]},
     'key "layer_types" is ["full_attention",3], expected a list of strings'),
    ({**DECODER, "model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2}, {"layer_types": ["full_attention"]},
     'key "layer_types" has 1 entries, expected num_hidden_layers (2)'),
    ({**DECODER, "model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2},
     {"layer_types": ["full_attention", "chunked_attention"]},
     'key "layer_types" holds "chunked_attention", supported: full_attention, sliding_attention'),
    ({**DECODER, "model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2},
     {"hidden_act": "gelu", "layer_types": ["full_attention", "full_attention"]},
     'key "hidden_act" is another than silu, but these experts have a clamped SwiGLU'),
    ({**DECODER, "model_type": "phimoe", "num_local_experts": 4, "num_experts_per_tok": 2},
     {"lm_head_bias": True, "tie_word_embeddings": True}, "a tied head has no bias of its own"),
    ({**DECODER, "model_type": "phi3"}, {"attention_bias": True}, 'key "attention_bias" is true, expected false for phi3'),
    ({"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_positions": 32, "vocab_size": 16}, {"n_head": 3},
     'key "n_head" is 3, expected a divisor of n_embd (8)'),
    (LATENT, {"attention_bias": True}, 'key "attention_bias" is true, which latent attention cannot import'),
    (LATENT, {"v_head_dim": 5}, 'key "v_head_dim" is 5, expected at most qk_nope_head_dim + qk_rope_head_dim (4)'),
    (LATENT, {"qk_nope_head_dim": 16777216}, 'key "qk_nope_head_dim" is 16777216, too large for 2 heads'),
    (LATENT, {"n_shared_experts": 16777216}, 'key "n_shared_experts" is 16777216, too many for moe_intermediate_size'),
    (LATENT, {"topk_group": 5}, 'key "topk_group" is 5, expected at most n_group (4)'),
    (LATENT, {"scoring_func": "softmax"}, 'key "scoring_func" is "softmax", but noaux_tc routing scores with sigmoid'),
    (LATENT, {"n_group": 8}, 'key "n_group" leaves one expert a group, expected two or more'),
    (LATENT, {"topk_method": "greedy"}, 'key "scoring_func" is "sigmoid", but greedy routing scores with softmax'),
    (LLAMA, {"pruned_heads": {"0": [1]}}, 'key "pruned_heads" is set, but heads removed that way cannot be imported'),
    (LLAMA, {"add_cross_attention": True}, 'key "add_cross_attention" is true, but attention to an encoder is not supported'),
    (COHERE, {"position_embedding_type": "alibi"}, 'key "position_embedding_type" is "alibi", supported: rope_gptj'),
    (COHERE, {"order_of_interleaved_layers": "global_attn_first"},
     'key "order_of_interleaved_layers" is "global_attn_first", supported: local_attn_first'),
    (FALCON, {"num_kv_heads": 3}, 'key "num_kv_heads" is 3, expected a divisor of num_attention_heads (2)'),
    (FALCON, {"num_ln_in_parallel_attn": 3}, 'key "num_ln_in_parallel_attn" is 3, expected 1 or 2'),
    (FALCON, {"num_ln_in_parallel_attn": 1, "parallel_attn": False},
     'key "parallel_attn" is false with one norm a block, which is not supported'),
    ({**DECODER, "model_type": "llama4_text", "num_local_experts": 4, "num_experts_per_tok": 1}, {"moe_layers": [2]},
     'key "moe_layers" holds 2, expected 0 to 1'),
    ({**DECODER, "model_type": "llama4_text", "num_local_experts": 4, "num_experts_per_tok": 1}, {"no_rope_layers": [1]},
     'key "no_rope_layers" has 1 entries, expected num_hidden_layers (2)'),
    ({**DECODER, "model_type": "llama4_text", "num_local_experts": 4, "num_experts_per_tok": 1},
     {"layer_types": ["full_attention", "full_attention"]},
     'key "layer_types" is not what no_rope_layers says: chunked_attention where queries and keys turn, full_attention elsewhere'),
    ({**DECODER, "model_type": "llama4_text", "num_local_experts": 4, "num_experts_per_tok": 1}, {"partial_rotary_factor": 0.5},
     'key "use_qk_norm" is true, but only 2 of 4 entries of a head turn'),
    ({**DECODER, "model_type": "llama4_text", "num_local_experts": 4, "num_experts_per_tok": 1},
     {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}},
     'key "use_qk_norm" is true, but the scaling of rotations makes what turns longer'),
    ({"model_type": "bloom", "hidden_size": 8, "n_layer": 1, "vocab_size": 16}, {"n_head": 3},
     'key "n_head" is 3, expected a divisor of hidden_size (8)'),
    ({"model_type": "mpt", "d_model": 8, "n_layers": 1, "vocab_size": 16}, {"n_heads": 3},
     'key "n_heads" is 3, expected a divisor of d_model (8)'),
    ({"model_type": "mpt", "d_model": 8, "n_layers": 1, "vocab_size": 16, "n_heads": 2}, {"norm_type": "rmsnorm"},
     'key "norm_type" is "rmsnorm", supported: low_precision_layernorm, layernorm'),
    ({"model_type": "mpt", "d_model": 8, "n_layers": 1, "vocab_size": 16, "n_heads": 2}, {"expansion_ratio": 16777216},
     'key "expansion_ratio" is 16777216, too large for d_model (8)'),
    ({"model_type": "mpt", "d_model": 8, "n_layers": 1, "vocab_size": 16, "n_heads": 2}, {"logit_scale": 2},
     'key "logit_scale" is set, which is not supported'),
    ({"model_type": "mpt", "d_model": 8, "n_layers": 1, "vocab_size": 16, "n_heads": 2}, {"attn_config": {"attn_type": "x"}},
     'key "attn_config.attn_type" is "x", supported: multihead_attention'),
    ({**DECODER, "model_type": "bert"}, {"position_embedding_type": "relative_key"},
     'key "position_embedding_type" is "relative_key", supported: absolute'),
    ({**DECODER, "model_type": "bert"}, {"is_decoder": True},
     'key "is_decoder" is true, expected false: the other form is not supported'),
    ({**DECODER, "model_type": "bert"}, {"num_attention_heads": 3}, 'key "num_attention_heads" is 3, expected a divisor of hidden_size (8)'),
    ({**DECODER, "model_type": "roberta"}, {"pad_token_id": 31},
     'key "pad_token_id" is 31, expected less than max_position_embeddings - 1 (31): positions are counted from behind it'),
    ({**DECODER, "model_type": "mpnet"}, {"relative_attention_num_buckets": 16},
     'key "relative_attention_num_buckets" is 16, expected 32'),
    ({**DECODER, "model_type": "mpnet"}, {"max_position_embeddings": 2},
     'key "max_position_embeddings" is 2, expected more than 2, the first position'),
    ({"model_type": "distilbert", "dim": 8, "hidden_dim": 12, "n_layers": 1, "vocab_size": 16}, {"n_heads": 3},
     'key "n_heads" is 3, expected a divisor of dim (8)'),
    ({**DECODER, "model_type": "modernbert"}, {"num_attention_heads": 3},
     'key "num_attention_heads" is 3, expected a divisor of hidden_size (8)'),
    ({**DECODER, "model_type": "modernbert"}, {"hidden_size": 10},
     'key "num_attention_heads" gives heads of 5 entries, expected an even number: they turn in pairs'),
    (LLAMA, {"hidden_size": 10}, 'key "num_attention_heads" gives heads of 5 entries, expected an even number: they turn in pairs'),
    (LLAMA, {"head_dim": 3}, 'key "head_dim" gives heads of 3 entries, expected an even number: they turn in pairs'),
    (LLAMA, {"partial_rotary_factor": 0.75},
     'key "partial_rotary_factor" gives 3 rotary entries of 4, expected an even number from 2'),
    (LATENT, {"qk_rope_head_dim": 3}, 'key "qk_rope_head_dim" gives heads of 3 entries, expected an even number: they turn in pairs'),
    ({"model_type": "gptj", "n_embd": 10, "n_layer": 1, "n_head": 2, "n_positions": 8, "vocab_size": 16}, {},
     'key "rotary_dim" is 5, expected an even number up to 5'),
    ({**DECODER, "model_type": "exaone4"}, {"sliding_window_pattern": "LG2"},
     'key "sliding_window_pattern" is "LG2", expected letters L and a G behind them'),
    ({**DECODER, "model_type": "modernbert"}, {"layer_types": ["full_attention"]},
     'key "layer_types" has 1 entries, expected num_hidden_layers (2)'),
    ({**DECODER, "model_type": "modernbert"}, {"layer_types": ["full_attention", "x"]},
     'key "layer_types" holds "x", supported: full_attention, sliding_attention'),
    ({**DECODER, "model_type": "opt", "ffn_dim": 12}, {"word_embed_proj_dim": 4},
     'key "word_embed_proj_dim" is 4, expected hidden_size (8): projected embeddings are not supported'),
    ({**DECODER, "model_type": "starcoder2"}, {"norm_type": "rms_norm"}, 'key "norm_type" is "rms_norm", supported: layer_norm'),
    ({**DECODER, "model_type": "starcoder2"}, {"mlp_type": "gated"}, 'key "mlp_type" is "gated", supported: default'),
]

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "families"))
import switch  # noqa: E402  (test/families)
import t5  # noqa: E402

CASES += [
    (t5.CONFIG, {"feed_forward_proj": "gated-swish7"},
     'key "feed_forward_proj" is "gated-swish7", supported: an activation such as relu, or gated- and one, such as gated-gelu'),
    (t5.CONFIG, {"relative_attention_max_distance": 4},
     'key "relative_attention_max_distance" is 4, expected more than half of relative_attention_num_buckets (8)'),
    (switch.CONFIG, {"dense_act_fn": "gated-gelu"}, 'key "dense_act_fn" has a gate, but networks of this family have none'),
]
ERNIE = {**DECODER, "model_type": "ernie4_5_moe", "moe_num_experts": 4, "moe_k": 2, "moe_intermediate_size": 8}
CASES += [
    (ERNIE, {"moe_k": 5}, 'key "moe_k" is 5, expected at most moe_num_experts (4)'),
    (ERNIE, {"moe_norm_min": 1e-3}, 'key "moe_norm_min" is more than 1e-9, which is not supported'),
    (ERNIE, {"moe_num_shared_experts": 2147483647}, 'key "moe_num_shared_experts" is 2147483647, too many for moe_intermediate_size'),
]
NEO = {"model_type": "gpt_neo", "hidden_size": 8, "num_layers": 2, "num_heads": 2, "vocab_size": 16, "max_position_embeddings": 32}
MINIMAX = {**DECODER, "model_type": "minimax_m2", "num_local_experts": 4, "num_experts_per_tok": 2}
CASES += [
    (NEO, {"attention_types": [[["global", "local"]]]},
     'key "attention_types" is [[["global","local"]]], expected a list of lists of strings and how often each is repeated, at most 65536 strings in all'),
    (NEO, {"attention_types": [[["global", "local"], 2]]}, 'key "attention_types" is of 4 layers, expected num_layers (2)'),
    (NEO, {"attention_types": [[["global", "far"], 1]]}, 'key "attention_types" holds "far", supported: global, local'),
    ({**DECODER, "model_type": "ministral3"}, {}, 'key "rope_parameters" is missing, expected an object'),
    (MINIMAX, {"rotary_dim": 6}, 'key "rotary_dim" is 6, expected an even number of at most head_dim (4)'),
    (MINIMAX, {"attn_type_list": [1, 0]}, 'key "attn_type_list" holds 0, expected 1 everywhere: linear attention is not supported'),
    ({**DECODER, "model_type": "granitemoeshared", "num_local_experts": 4, "num_experts_per_tok": 2}, {"shared_intermediate_size": 16777217},
     'key "shared_intermediate_size" is 16777217, expected at most 16777216'),
]
# What families are that no importer reads.
OTHERS = {
    "mixes attention with state-space layers": ["bamba", "falcon_h1", "granitemoehybrid", "jamba", "nemotron_h", "zamba2"],
    "is a state-space model": ["falcon_mamba", "mamba", "mamba2"],
    "mixes attention with linear attention": ["kimi_linear", "minimax", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next"],
    "mixes attention with convolutions": ["lfm2"],
    "mixes attention with recurrent layers": ["recurrent_gemma"],
    "is a recurrent model": ["rwkv"],
    "attends to images in layers of its own": ["mllama"],
    "is an encoder with a decoder": ["bart"],
    "attends to distances apart from contents": ["deberta", "deberta-v2"],
    "has one layer's weights for all layers": ["albert"],
}
CASES += [(DECODER, {"model_type": family}, f'key "model_type" is "{family}", which {what}; that is not supported')
          for what, families in OTHERS.items() for family in families]

os.chdir(sys.argv[1])
failed = 0
for base, keys, expected in CASES:
    with open("config.json", "w") as file:
        json.dump({**base, **keys}, file)
    options = ["--rope-length", "64"] if "stretch" in expected else []
    done = subprocess.run(["xfmr-import", "config.json", *options], capture_output=True, text=True)
    if expected.startswith("key"):
        expected = 'config "config.json": ' + expected
    if done.returncode != 1 or done.stderr != f"xfmr-import: error: {expected}\n":
        print(f"expected {expected}\n  got {done.returncode} {done.stderr.strip()}")
        failed += 1
print(f"{len(CASES) - failed} of {len(CASES)} refused as said")
