"""keys.py import-each FOLDER: what every importer makes of every key of its family's configuration.

Each key is changed alone in a miniature's config.json. The outcome must be the table's: the model changes ("changes"), the key is
refused by name ("refused"), nothing happens because it is no mathematics ("harmless"), or a warning names it ("warned").
Keys are those that the configuration class and the modelling code of transformers 4 and 5 read.
"""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "families"))
import arcee, bert, bloom, cohere, cohere2, distilbert, dots1, electra, ernie4_5, ernie4_5_moe, exaone4, falcon, glm, glm4, gpt_bigcode, gpt_neo
import gptj, granitemoeshared, helium, minimax_m2, ministral3, modernbert, mpnet, mpt, opt, phi, roberta, seed_oss, smollm3, stablelm, starcoder2, switch, t5

SIZES = {"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 128, "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu"}


def outcomes(outcome, keys):
    return {key: (value, outcome) for key, value in keys.items()}


CHANGES = lambda **keys: outcomes("changes", keys)
REFUSED = lambda **keys: outcomes("refused", keys)
HARMLESS = lambda **keys: outcomes("harmless", keys)


def without(table, *keys):
    return {key: row for key, row in table.items() if key not in keys}


# A row under a name that is no key says in an object which keys change together.
ANY = (CHANGES(num_hidden_layers=3, vocab_size=97, bos_token_id=5, eos_token_id=[6, 7], torch_dtype="bfloat16", dtype="float16") |
       REFUSED(is_causal=False, quantization_config={"quant_method": "gptq"}, pruned_heads={"0": [1]}, add_cross_attention=True,
               use_bidirectional_attention=True, model_type="qwen3_next") |
       HARMLESS(initializer_range=0.5, use_cache=False, transformers_version="5.0", architectures=["X"], attention_dropout=0.1,
                pad_token_id=3, output_attentions=True, _name_or_path="x", top_k=3, auto_map={"a": "b"}, model_max_length=9, output_past=True, model_parallel=True,
                neftune_noise_alpha=5, is_llama_config=True, flash_attn=True, unsloth_fixed=True, no_quantization={"quantization_config": None},
                **{"transformers.js_config": {"dtype": "q4"}}) |
       {"unheard_of": (1, "warned"), "unheard_of_flag": (False, "warned")})
# Of these one family says enough.
FEW = {key: ANY[key] for key in ("num_hidden_layers", "vocab_size", "is_causal", "initializer_range", "unheard_of")}
ROPE = (CHANGES(rope_theta=500.0, rope_scaling={"rope_type": "linear", "factor": 2.0}, max_position_embeddings=96,
                rope_parameters={"rope_type": "default", "rope_theta": 7.0}) |
        REFUSED(unknown_rope={"rope_scaling": {"rope_type": "magic"}}) |
        HARMLESS(mrope={"rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]}}) |
        {"growing_scores": ({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "llama_4_scaling_beta": 0.1}}, "warned")})
LLAMA = (FEW | ROPE | CHANGES(hidden_size=48, intermediate_size=52, num_attention_heads=2, num_key_value_heads=4, head_dim=12,
                              rms_norm_eps=1e-3, hidden_act="relu", partial_rotary_factor=0.5))
TIED = CHANGES(tie_word_embeddings=True)
UNTIED = CHANGES(tie_word_embeddings=False)
BIAS = CHANGES(attention_bias=True)
WINDOWS = CHANGES(sliding_window=9, layer_types=["full_attention"] * 4)
EXPERTS = {**SIZES, "num_experts_per_tok": 2}
ROUTER = HARMLESS(router_aux_loss_coef=0.5, output_router_logits=True)
LAYER_NORM = CHANGES(layer_norm_eps=1e-3)
BERT = (FEW | LAYER_NORM | REFUSED(position_embedding_type="relative_key", is_decoder=True) |
        CHANGES(hidden_size=48, num_attention_heads=2, intermediate_size=40, max_position_embeddings=40, hidden_act="relu") |
        HARMLESS(tie_word_embeddings=False, hidden_dropout_prob=0.1, classifier_dropout=0.1, chunk_size_feed_forward=2, pooler_type="x", pooler_fc_size=9,
                 directionality="bidi"))
T5 = (without(FEW, "num_hidden_layers") | REFUSED(is_encoder_decoder=False, unaligned={"relative_attention_num_buckets": 6}) |
      CHANGES(d_model=48, d_kv=12, num_heads=2, d_ff=20, num_layers=3, num_decoder_layers=1, layer_norm_epsilon=1e-3,
              relative_attention_num_buckets=12, relative_attention_max_distance=30, tie_word_embeddings=False,
              decoder_start_token_id=4, eos_token_id=5) |
      HARMLESS(dropout_rate=0.3, classifier_dropout=0.3, pad_token_id=3, use_cache=False, task_specific_params={"a": 1}))
NO_RMS = HARMLESS(rms_norm_eps=1e-3)  # such a family has no norm of that kind

FAMILIES = {
    "llama": (SIZES, ANY | LLAMA | TIED | BIAS | CHANGES(mlp_bias=True) | HARMLESS(pretraining_tp=2) | REFUSED(rope_interleaved=True)),
    "mistral": (SIZES, LLAMA | TIED | CHANGES(sliding_window=9, without_window={"sliding_window": None})),
    "mixtral": ({**EXPERTS, "num_local_experts": 4, "sliding_window": 12}, LLAMA | TIED | WINDOWS | ROUTER |
                HARMLESS(router_jitter_noise=0.1) | CHANGES(num_local_experts=6, num_experts_per_tok=1)),
    "qwen2": (SIZES, LLAMA | TIED | HARMLESS(use_sliding_window=False, sliding_window=9, max_window_layers=2) |
              CHANGES(slides={"use_sliding_window": True, "max_window_layers": 1})),
    "qwen2-sliding": ({**SIZES, "model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 1}, LLAMA | TIED | WINDOWS |
                      CHANGES(max_window_layers=2, use_sliding_window=False)),
    "qwen3": (SIZES, LLAMA | TIED | BIAS | HARMLESS(sliding_window=9, max_window_layers=2)),
    "qwen2_moe": ({**EXPERTS, "num_experts": 4, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 24}, LLAMA | TIED |
                  ROUTER | CHANGES(num_experts=6, moe_intermediate_size=12, shared_expert_intermediate_size=12, num_experts_per_tok=1,
                                   norm_topk_prob=True, decoder_sparse_step=2, mlp_only_layers=[1], qkv_bias=False) |
                  HARMLESS(intermediate_size=52)),
    "qwen3_moe": ({**EXPERTS, "num_experts": 4, "moe_intermediate_size": 16}, LLAMA | TIED | BIAS | ROUTER |
                  CHANGES(num_experts=6, moe_intermediate_size=12, num_experts_per_tok=1, norm_topk_prob=True, decoder_sparse_step=2,
                          mlp_only_layers=[1]) | HARMLESS(intermediate_size=52)),
    "olmo2": (SIZES, LLAMA | TIED | BIAS),
    "olmo3": (SIZES, LLAMA | TIED | BIAS | WINDOWS),
    "olmoe": ({**EXPERTS, "num_experts": 4}, LLAMA | TIED | BIAS | ROUTER |
              CHANGES(clip_qkv=8.0, num_experts=6, num_experts_per_tok=1, norm_topk_prob=True)),
    "phi3": (SIZES, LLAMA | TIED | CHANGES(sliding_window=9) | REFUSED(attention_bias=True) | HARMLESS(embd_pdrop=0.1, resid_pdrop=0.1, original_max_position_embeddings=64)),
    "gemma": ({**SIZES, "head_dim": 8}, LLAMA | UNTIED | BIAS | CHANGES(hidden_activation="relu") | HARMLESS(hidden_act="relu")),
    "gemma2": ({**SIZES, "head_dim": 8}, LLAMA | UNTIED | BIAS | WINDOWS | HARMLESS(hidden_act="relu", cache_implementation="hybrid", sliding_window_size=9) |
               CHANGES(query_pre_attn_scalar=9, attn_logit_softcapping=5.0, final_logit_softcapping=5.0, hidden_activation="relu",
                       uncapped={"attn_logit_softcapping": None}, bare={"final_logit_softcapping": None})),
    "gemma3_text": ({**SIZES, "head_dim": 8, "sliding_window_pattern": 2}, LLAMA | UNTIED | BIAS | WINDOWS | HARMLESS(hidden_act="relu") |
                    CHANGES(query_pre_attn_scalar=9, rope_local_base_freq=7.0, sliding_window_pattern=3, final_logit_softcapping=5.0,
                            attn_logit_softcapping=5.0)),
    "gpt_oss": ({**EXPERTS, "num_local_experts": 4, "head_dim": 8}, LLAMA | TIED | WINDOWS | ROUTER | REFUSED(hidden_act="relu") |
                HARMLESS(initial_context_length=64, experts_per_token=1) |
                CHANGES(num_local_experts=6, num_experts_per_tok=1, attention_bias=False, swiglu_limit=5.0)),
    "granite": (SIZES, LLAMA | TIED | BIAS | CHANGES(mlp_bias=True, embedding_multiplier=2.0, attention_multiplier=0.5,
                                                     residual_multiplier=0.5, logits_scaling=3.0)),
    "granitemoe": ({**EXPERTS, "num_local_experts": 4}, LLAMA | TIED | BIAS | ROUTER |
                   CHANGES(num_local_experts=6, num_experts_per_tok=1, embedding_multiplier=2.0, attention_multiplier=0.5,
                           residual_multiplier=0.5, logits_scaling=3.0)),
    "granitemoeshared": ({**granitemoeshared.CONFIG, "num_hidden_layers": 4}, LLAMA | TIED | BIAS | ROUTER |
                         CHANGES(num_local_experts=6, num_experts_per_tok=1, embedding_multiplier=3.0, attention_multiplier=0.5,
                                 residual_multiplier=0.7, logits_scaling=3.0, shared_intermediate_size=12, alone={"shared_intermediate_size": 0})),
    "glm": (glm.CONFIG, LLAMA | TIED | CHANGES(attention_bias=False, partial_rotary_factor=1.0)),
    "glm4": (glm4.CONFIG, LLAMA | TIED | CHANGES(attention_bias=False, partial_rotary_factor=1.0)),
    "helium": (helium.CONFIG, LLAMA | TIED | BIAS | CHANGES(mlp_bias=True)),
    "minimax_m2": ({**without(minimax_m2.CONFIG, "attn_type_list"), "num_hidden_layers": 4}, without(LLAMA, "head_dim") | TIED | ROUTER |
                   CHANGES(num_local_experts=6, num_experts_per_tok=1, rotary_dim=12, head_dim=12, partial_rotary_factor=0.25) |
                   REFUSED(use_qk_norm=False, use_routing_bias=False, qk_norm_type="per_head", scoring_func="softmax",
                           shared_intermediate_size=8, attn_type_list=[1, 0, 1, 1], odd_share={"rotary_dim": 7}) |
                   HARMLESS(use_mtp=True, num_mtp_modules=3, mtp_transformer_layers=1, mlp_intermediate_size=40, shared_moe_mode="sigmoid",
                            layernorm_full_attention_beta=1.0, layernorm_linear_attention_beta=1.0, layernorm_mlp_beta=1.0,
                            router_jitter_noise=0.1)),
    "ministral3": (ministral3.CONFIG, without(LLAMA, *ROPE, "partial_rotary_factor") | TIED | CHANGES(sliding_window=9, max_position_embeddings=512,
                   rope_parameters={**ministral3.CONFIG["rope_parameters"], "rope_theta": 7.0},
                   beta={"rope_parameters": {**ministral3.CONFIG["rope_parameters"], "llama_4_scaling_beta": 0.1}},
                   no_growth={"rope_parameters": {**ministral3.CONFIG["rope_parameters"], "llama_4_scaling_beta": 0}},
                   original={"rope_parameters": {**ministral3.CONFIG["rope_parameters"], "original_max_position_embeddings": 32}}) |
                   REFUSED(no_beta={"rope_parameters": {"rope_type": "default", "rope_theta": 7.0}}, no_rope={"rope_parameters": None}) |
                   HARMLESS(again={"rope_parameters": {**ministral3.CONFIG["rope_parameters"], "max_position_embeddings": 9}})),
    "dots1": ({**without(dots1.CONFIG, "layer_types"), "num_hidden_layers": 4}, LLAMA | TIED | BIAS | ROUTER | WINDOWS |
              CHANGES(n_routed_experts=6, num_experts_per_tok=1, moe_intermediate_size=12, n_shared_experts=1, first_k_dense_replace=2,
                      norm_topk_prob=False, without_norm={"norm_topk_prob": None}, routed_scaling_factor=2.0, max_window_layers=3,
                      everywhere={"sliding_window": None}, grouped={"n_group": 2}) |
              REFUSED(scoring_func="softmax", topk_method="magic", uneven={"n_group": 3}, too_few={"n_group": 4, "topk_group": 1})),
    "gpt_neo": ({**without(gpt_neo.CONFIG, "attention_layers"), "num_layers": 4, "attention_types": [[["global", "local"], 2]]},
                without(FEW, "num_hidden_layers") | UNTIED | REFUSED(unknown_kind={"attention_types": [[["global", "far"], 2]]},
                fewer_kinds={"attention_types": [[["local"], 3]]}, no_repetition={"attention_types": [["global", "local"]]},
                endless={"attention_types": [[["local"], 100000]]}) |
                HARMLESS(attention_layers=["local"] * 4, same_kinds={"attention_types": None}, embed_dropout=0.1, resid_dropout=0.1, classifier_dropout=0.1,
                         summary_type="x") |
                CHANGES(hidden_size=48, num_heads=2, fewer_layers={"num_layers": 2, "attention_types": [[["global", "local"], 1]]}, intermediate_size=40, max_position_embeddings=64, window_size=9,
                        activation_function="relu", layer_norm_epsilon=1e-3, attention_types=[[["local"], 1], [["global"], 3]])),
    "gpt_neox": (without(SIZES, "num_key_value_heads") | {"hidden_act": "gelu"}, FEW | ROPE | TIED | LAYER_NORM |
                 HARMLESS(hidden_dropout=0.1, classifier_dropout=0.1) |
                 CHANGES(hidden_size=64, intermediate_size=52, num_attention_heads=2, hidden_act="relu", rotary_pct=0.5,
                         rotary_emb_base=7.0, use_parallel_residual=False, attention_bias=False)),
    "gpt2": ({"vocab_size": 96, "n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2},
             without(FEW, "num_hidden_layers") | UNTIED | HARMLESS(reorder_and_upcast_attn=True, n_ctx=9) |
             CHANGES(n_embd=48, n_layer=3, n_head=2, n_positions=32, n_inner=40, activation_function="relu", layer_norm_epsilon=1e-3,
                     scale_attn_weights=False, scale_attn_by_inverse_layer_idx=True)),
    "deepseek_v3": ({**EXPERTS, "n_routed_experts": 4, "moe_intermediate_size": 16, "first_k_dense_replace": 1, "n_shared_experts": 1,
                     "kv_lora_rank": 16, "q_lora_rank": 12, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8, "n_group": 2,
                     "topk_group": 2},
                    without(LLAMA | TIED, "head_dim", "num_key_value_heads", "partial_rotary_factor") |
                    REFUSED(attention_bias=True, topk_method="magic", scoring_func="softmax") |
                    CHANGES(n_routed_experts=8, moe_intermediate_size=12, first_k_dense_replace=2, n_shared_experts=2, kv_lora_rank=12,
                            q_lora_rank=8, qk_nope_head_dim=6, qk_rope_head_dim=4, v_head_dim=6, topk_group=1, norm_topk_prob=False,
                            routed_scaling_factor=2.0, moe_layer_freq=2, rope_interleave=False, num_experts_per_tok=1) |
                    HARMLESS(num_nextn_predict_layers=1, ep_size=2, aux_loss_alpha=0.1, seq_aux=False, qk_head_dim=16)),
    "t5": (t5.CONFIG, T5 | CHANGES(feed_forward_proj="gated-gelu", gated={"feed_forward_proj": "gated-silu"}) |
           REFUSED(unknown_network={"feed_forward_proj": "magic"}) | HARMLESS(dense_act_fn="silu", n_positions=9, is_gated_act=True)),
    "mt5": ({**t5.CONFIG, "model_type": "mt5", "feed_forward_proj": "gated-gelu"}, T5 | CHANGES(feed_forward_proj="relu")),
    "switch_transformers": (switch.CONFIG, T5 | HARMLESS(num_sparse_encoder_layers=2, router_jitter_noise=0.5, feed_forward_proj="gelu",
                            router_z_loss_coef=0.1, router_ignore_padding_tokens=True) |
                            CHANGES(num_experts=4, expert_capacity=2, encoder_sparse_step=1, decoder_sparse_step=1, router_bias=True,
                                    dense_act_fn="gelu") |
                            REFUSED(router_dtype="bfloat16", gated={"dense_act_fn": "gated-gelu"})),
    "cohere": (cohere.CONFIG, LLAMA | NO_RMS | UNTIED | BIAS | LAYER_NORM | CHANGES(logit_scale=0.5) | REFUSED(use_qk_norm=True)),
    "cohere2": (cohere2.CONFIG, LLAMA | NO_RMS | UNTIED | BIAS | LAYER_NORM | CHANGES(logit_scale=0.5, sliding_window_pattern=2,
                sliding_window=9, layer_types=["full_attention"] * 4) | REFUSED(order_of_interleaved_layers="x", position_embedding_type="x",
                use_parallel_block=False, use_gated_activation=False, use_embedding_sharing=False, use_parallel_embedding=True)),
    "starcoder2": (starcoder2.CONFIG, LLAMA | NO_RMS | UNTIED | CHANGES(norm_epsilon=1e-3, use_bias=False, sliding_window=9) |
                   HARMLESS(residual_dropout=0.1, embedding_dropout=0.1, activation_function="relu", layer_norm_epsilon=1e-3, scale_attn_weights=False) | REFUSED(norm_type="rms_norm", mlp_type="gated")),
    "smollm3": (without(smollm3.CONFIG, "no_rope_layers"), LLAMA | UNTIED | BIAS | CHANGES(mlp_bias=True, no_rope_layers=[1, 0, 1, 0], no_rope_layer_interval=2,
                slides={"use_sliding_window": True, "sliding_window": 9}) | HARMLESS(sliding_window=9, max_window_layers=3)),
    "arcee": (arcee.CONFIG, LLAMA | TIED | BIAS | CHANGES(mlp_bias=True)),
    "ernie4_5": (ernie4_5.CONFIG, LLAMA | UNTIED | CHANGES(use_bias=True)),
    "ernie4_5_moe": ({**ernie4_5_moe.CONFIG, "num_hidden_layers": 4}, LLAMA | UNTIED | ROUTER | REFUSED(use_bias=True, loose_sum={"moe_norm_min": 1e-3}) |
                     CHANGES(moe_num_experts=6, moe_k=2, moe_intermediate_size=12, moe_num_shared_experts=1, moe_layer_start_index=2,
                             moe_layer_end_index=2, moe_layer_interval=2, moe_norm_min=1e-10) |
                     HARMLESS(moe_capacity=[64, 64, 64], moe_gate="topk", moe_use_aux_free=True, num_nextn_predict_layers=1)),
    "exaone4": (without(exaone4.CONFIG, "layer_types"), LLAMA | TIED | WINDOWS | CHANGES(sliding_window_pattern=2, everywhere={"sliding_window": None}) |
                REFUSED(unknown_pattern={"sliding_window_pattern": "GLL"})),
    "seed_oss": (seed_oss.CONFIG, LLAMA | TIED | CHANGES(attention_bias=False, attention_out_bias=True, mlp_bias=True) |
                 HARMLESS(residual_dropout=0.1, pretraining_tp=2)),
    "gpt_bigcode": (gpt_bigcode.CONFIG, without(FEW, "num_hidden_layers") | UNTIED |
                    HARMLESS(attention_softmax_in_fp32=False, scale_attention_softmax_in_fp32=False, inference_runner=1, max_batch_size=8,
                             max_sequence_length=64, pad_key_length=False, pre_allocate_kv_cache=True, validate_runner_input=False, n_ctx=9,
                             attn_pdrop=0.1, summary_type="x") |
                    CHANGES(n_embd=48, n_layer=3, n_head=2, n_positions=64, n_inner=40, activation_function="relu", layer_norm_epsilon=1e-3,
                            scale_attn_weights=False, multi_query=False)),
    "falcon": (falcon.CONFIG, FEW | ROPE | UNTIED | REFUSED(alibi=True, apply_residual_connection_post_layernorm=True) |
               HARMLESS(hidden_dropout=0.1, num_kv_heads=2, num_ln_in_parallel_attn=1) |
               CHANGES(hidden_size=64, num_attention_heads=2, layer_norm_epsilon=1e-3, multi_query=False, parallel_attn=False,
                       new_decoder_architecture=True, bias=True, ffn_hidden_size=40, activation="relu")),
    "opt": (opt.CONFIG, FEW | UNTIED | HARMLESS(layerdrop=0.1, prefix="x", init_std=0.1) |
            REFUSED(word_embed_proj_dim=16, layer_norm_elementwise_affine=False) |
            CHANGES(ffn_dim=40, num_attention_heads=2, max_position_embeddings=64, activation_function="gelu", do_layer_norm_before=False,
                    _remove_final_layer_norm=True, enable_bias=False)),
    "llama4_text": ({**EXPERTS, "num_experts_per_tok": 1, "num_local_experts": 4, "intermediate_size_mlp": 40, "no_rope_layers": [1, 1, 1, 0],
                     "attention_chunk_size": 16, "interleave_moe_layer_step": 2},
                    without(LLAMA, "partial_rotary_factor", "num_hidden_layers") | TIED | BIAS | ROUTER |
                    CHANGES(num_local_experts=6, num_experts_per_tok=2, intermediate_size_mlp=44, interleave_moe_layer_step=1, moe_layers=[2],
                            no_rope_layers=[1, 0, 1, 0], attention_chunk_size=8, use_qk_norm=False, attn_temperature_tuning=False,
                            floor_scale=16, attn_scale=0.5, fewer={"num_hidden_layers": 3, "no_rope_layers": [1, 1, 0]}) |
                    REFUSED(partly={"partial_rotary_factor": 0.5, "use_qk_norm": True}, layer_types=["full_attention"] * 4)),
    "bloom": (bloom.CONFIG, without(FEW, "num_hidden_layers") | UNTIED | REFUSED(apply_residual_connection_post_layernorm=True) |
              CHANGES(hidden_size=48, n_layer=3, n_head=4, layer_norm_epsilon=1e-3, seq_length=64) |
              HARMLESS(slow_but_exact=True, offset_alibi=10, hidden_dropout=0.1)),
    "mpt": (mpt.CONFIG, without(FEW, "num_hidden_layers") | HARMLESS(learned_pos_emb=True, init_device="cpu", emb_pdrop=0.1) |
            REFUSED(no_bias=False, logit_scale=2.0, norm_type="rmsnorm", learned={"attn_config": {"alibi": False}},
                    normed={"attn_config": {"qk_ln": True}}, shared={"attn_config": {"attn_type": "multiquery_attention"}}) |
            CHANGES(d_model=48, n_layers=3, n_heads=2, expansion_ratio=3, max_seq_len=64, layer_norm_epsilon=1e-3,
                    clipped={"attn_config": {"clip_qkv": 2.0}}, scaled={"attn_config": {"softmax_scale": 2.0}},
                    steeper={"attn_config": {"alibi_bias_max": 4}})),
    "bert": (bert.CONFIG, BERT | CHANGES(type_vocab_size=3) | HARMLESS(pad_token_id=3)),
    "roberta": (roberta.CONFIG, BERT | CHANGES(type_vocab_size=3, pad_token_id=3)),
    "electra": (electra.CONFIG, BERT | CHANGES(type_vocab_size=3, embedding_size=32) |
                HARMLESS(summary_last_dropout=0.2, summary_use_proj=True, pad_token_id=3)),
    "mpnet": (mpnet.CONFIG, BERT | REFUSED(relative_attention_num_buckets=16) | HARMLESS(pad_token_id=3)),
    "distilbert": (distilbert.CONFIG, without(FEW, "num_hidden_layers") |
                   CHANGES(dim=48, n_layers=3, n_heads=2, hidden_dim=40, activation="relu", max_position_embeddings=40) |
                   HARMLESS(sinusoidal_pos_embds=True, tie_weights_=False, output_past=True, qa_dropout=0.3, seq_classif_dropout=0.1,
                            pad_token_id=3)),
    "modernbert": (modernbert.CONFIG, FEW | CHANGES(hidden_size=48, num_attention_heads=2, intermediate_size=40 + 8,
                   hidden_activation="relu", norm_eps=1e-3, norm_bias=True, max_position_embeddings=40, global_rope_theta=7.0,
                   local_rope_theta=7.0, global_attn_every_n_layers=2, local_attention=8, attention_bias=True, mlp_bias=True,
                   layer_types=["full_attention"] * 4, by_layer_type={"rope_parameters": {"full_attention": {"rope_theta": 7.0},
                   "sliding_attention": {"rope_theta": 5.0}}}, same_base={"local_rope_theta": None}) |
                   HARMLESS(decoder_bias=False, classifier_pooling="mean", deterministic_flash_attn=True, reference_compile=True,
                            sparse_prediction=True, embedding_dropout=0.1, layer_norm_eps=1e-3, tie_word_embeddings=False)),
    "phi": (phi.CONFIG, LLAMA | NO_RMS | LAYER_NORM | REFUSED(qk_layernorm=True, tie_word_embeddings=True) |
            CHANGES(partial_rotary_factor=1.0) | HARMLESS(embd_pdrop=0.1, resid_pdrop=0.1)),
    "gptj": (gptj.CONFIG, without(FEW, "num_hidden_layers") | REFUSED(scale_attn_weights=False, tie_word_embeddings=True) |
             CHANGES(n_embd=48, n_layer=3, n_head=4, n_positions=64, n_inner=40, rotary_dim=4, activation_function="relu",
                     layer_norm_epsilon=1e-3) | HARMLESS(rotary=True, summary_type="x")),
    "stablelm": (stablelm.CONFIG, LLAMA | NO_RMS | TIED | LAYER_NORM | REFUSED(qk_layernorm=True) |
                 CHANGES(use_qkv_bias=False, use_parallel_residual=True, partial_rotary_factor=0.5, hidden_size=64, head_dim=16)),
}
TOGETHER = {"beta", "no_growth", "original", "no_beta", "no_rope", "again", "alone", "odd_share", "without_norm", "grouped", "uneven", "too_few", "unknown_kind", "fewer_kinds", "no_repetition", "endless",
            "same_kinds", "fewer_layers", "no_quantization", "everywhere", "unknown_pattern", "unknown_rope", "mrope", "growing_scores", "slides", "without_window", "uncapped", "bare", "by_layer_type", "same_base", "learned", "normed", "shared",
            "clipped", "scaled", "steeper", "loose_sum", "fewer", "partly", "gated", "unknown_network", "unaligned"}


class Importer:
    """One process for all configurations (ImportEach.cpp)."""

    def __init__(self, tool, folder):
        self.path = os.path.join(folder, "config.json")
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, config):
        """Whether it was imported, the module's text, what was said."""
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.process.stdin.write(self.path + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["ok"], answer["text"], answer["said"]


def outcome(importer, plain, base, key, value):
    changes = value if key in TOGETHER else {key: value}
    ok, text, said = importer.run({**base, **changes})
    named = any(f'"{name}' in said for name in changes)
    if not ok:
        return "refused" if named else f"failed without its name: {said.strip()}"
    if "not read for" in said:
        return "warned" if named else f"warned of another: {said.strip()}"
    return "changes" if text != plain else "harmless"


def main(tool, folder):
    os.makedirs(folder, exist_ok=True)
    importer = Importer(tool, folder)
    failures = 0
    for name, (base, table) in FAMILIES.items():
        base = {"model_type": name, **base}
        ok, plain, said = importer.run(base)
        if not ok or said:
            print(f"{name}: {said.strip()}")
            failures += 1
            continue
        counts = {}
        for key, (value, wanted) in table.items():
            found = outcome(importer, plain, base, key, value)
            if found != wanted:
                print(f"{name}: {key} = {json.dumps(value)}: {found}, expected {wanted}")
                failures += 1
            counts[wanted] = counts.get(wanted, 0) + 1
        print(f"ok {name}: {len(table)} keys, " + ", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    print(f"{len(FAMILIES)} tables, {failures} failures")


if __name__ == "__main__":
    main(*sys.argv[1:])
