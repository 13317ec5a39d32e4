"""published.py FOLDER: parameters of published models, counted from what their configurations say, against the figures that their
checkpoints are known by (model cards, safetensors metadata). Encoders are counted with their poolers. A third number is of entries
that the checkpoint has and nothing reads: two rows of OPT's positions.
"""
import json
import os
import subprocess
import sys

LLAMA = {"model_type": "llama", "hidden_act": "silu", "max_position_embeddings": 4096, "vocab_size": 32000}
QWEN2 = {"model_type": "qwen2", "max_position_embeddings": 32768, "vocab_size": 151936}
QWEN3 = {**QWEN2, "model_type": "qwen3", "head_dim": 128}
SMOL = {**LLAMA, "vocab_size": 49152, "tie_word_embeddings": True}
NEOX = {"model_type": "gpt_neox", "vocab_size": 50304, "max_position_embeddings": 2048, "rotary_pct": 0.25, "hidden_act": "gelu"}
GPT2 = {"model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024}
GPT_NEO = {"model_type": "gpt_neo", "vocab_size": 50257, "max_position_embeddings": 2048}
GLM = {"vocab_size": 151552, "max_position_embeddings": 32768, "head_dim": 128}
GEMMA2 = {"model_type": "gemma2", "vocab_size": 256000, "head_dim": 256, "max_position_embeddings": 8192}
PHI = {"model_type": "phi", "vocab_size": 51200, "max_position_embeddings": 2048, "partial_rotary_factor": 0.5, "hidden_act": "gelu_new"}
OPT = {"model_type": "opt", "vocab_size": 50272, "max_position_embeddings": 2048}
BERT = {"model_type": "bert", "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2}


def sizes(hidden, inner, layers, heads, kv=None):
    return {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers, "num_attention_heads": heads,
            **({"num_key_value_heads": kv} if kv else {})}


TIED = {"tie_word_embeddings": True}
MODELS = {
    "Llama-2-13b": ({**LLAMA, **sizes(5120, 13824, 40, 40)}, 13015864320),
    "Llama-2-70b": ({**LLAMA, **sizes(8192, 28672, 80, 64, 8)}, 68976648192),
    "Llama-3.2-3B": ({**LLAMA, **sizes(3072, 8192, 28, 24, 8), **TIED, "head_dim": 128, "vocab_size": 128256}, 3212749824),
    "TinyLlama-1.1B": ({**LLAMA, **sizes(2048, 5632, 22, 32, 4)}, 1100048384),
    "SmolLM2-135M": ({**SMOL, **sizes(576, 1536, 30, 9, 3)}, 134515008),
    "SmolLM2-360M": ({**SMOL, **sizes(960, 2560, 32, 15, 5)}, 361821120),
    "SmolLM2-1.7B": ({**SMOL, **sizes(2048, 8192, 24, 32, 32)}, 1711376384),
    "Qwen2.5-0.5B": ({**QWEN2, **sizes(896, 4864, 24, 14, 2), **TIED}, 494032768),
    "Qwen2.5-1.5B": ({**QWEN2, **sizes(1536, 8960, 28, 12, 2), **TIED}, 1543714304),
    "Qwen2.5-7B": ({**QWEN2, **sizes(3584, 18944, 28, 28, 4), "vocab_size": 152064}, 7615616512),
    "Qwen3-1.7B": ({**QWEN3, **sizes(2048, 6144, 28, 16, 8), **TIED}, 1720574976),
    "Qwen3-4B": ({**QWEN3, **sizes(2560, 9728, 36, 32, 8), **TIED}, 4022468096),
    "Qwen3-8B": ({**QWEN3, **sizes(4096, 12288, 36, 32, 8)}, 8190735360),
    "Mixtral-8x22B": ({**sizes(6144, 16384, 56, 48, 8), "model_type": "mixtral", "vocab_size": 32768, "num_local_experts": 8,
                       "num_experts_per_tok": 2, "max_position_embeddings": 65536}, 140630071296),
    "Phi-3-mini-4k": ({**sizes(3072, 8192, 32, 32, 32), "model_type": "phi3", "vocab_size": 32064, "max_position_embeddings": 4096},
                      3821079552),
    "phi-1_5": ({**PHI, **sizes(2048, 8192, 24, 32)}, 1418270720),
    "phi-2": ({**PHI, **sizes(2560, 10240, 32, 32)}, 2779683840),
    "gpt2-medium": ({**GPT2, "n_embd": 1024, "n_layer": 24, "n_head": 16}, 354823168),
    "gpt2-large": ({**GPT2, "n_embd": 1280, "n_layer": 36, "n_head": 20}, 774030080),
    "gpt-neo-125m": ({**GPT_NEO, "hidden_size": 768, "num_layers": 12, "num_heads": 12}, 125198592),
    "gpt-neo-1.3B": ({**GPT_NEO, "hidden_size": 2048, "num_layers": 24, "num_heads": 16}, 1315575808),
    "gpt-neo-2.7B": ({**GPT_NEO, "hidden_size": 2560, "num_layers": 32, "num_heads": 20}, 2651307520),
    "glm-4-9b-chat": ({**GLM, "model_type": "glm", **sizes(4096, 13696, 40, 32, 2)}, 9399951360),
    "GLM-4-9B-0414": ({**GLM, "model_type": "glm4", **sizes(4096, 13696, 40, 32, 2)}, 9400279040),
    "MiniMax-M2": ({"model_type": "minimax_m2", **sizes(3072, 1536, 62, 48, 8), "head_dim": 128, "vocab_size": 200064, "rotary_dim": 64,
                    "max_position_embeddings": 196608, "num_local_experts": 256, "num_experts_per_tok": 8}, 228689764864),
    "dots.llm1": ({"model_type": "dots1", **sizes(4096, 10944, 62, 32, 32), "vocab_size": 152064, "max_position_embeddings": 32768,
                   "moe_intermediate_size": 1408, "n_routed_experts": 128, "n_shared_experts": 2, "num_experts_per_tok": 6,
                   "first_k_dense_replace": 1, "norm_topk_prob": True}, 142774381696),
    "gpt2-xl": ({**GPT2, "n_embd": 1600, "n_layer": 48, "n_head": 25}, 1557611200),
    "pythia-160m": ({**NEOX, **sizes(768, 3072, 12, 12)}, 162322944),
    "pythia-1.4b": ({**NEOX, **sizes(2048, 8192, 24, 16)}, 1414647808),
    "pythia-6.9b": ({**NEOX, **sizes(4096, 16384, 32, 32), "vocab_size": 50432}, 6857302016),
    "gpt-neox-20b": ({**NEOX, **sizes(6144, 24576, 44, 64), "vocab_size": 50432}, 20554567680),
    "gpt-j-6b": ({"model_type": "gptj", "vocab_size": 50400, "n_embd": 4096, "n_layer": 28, "n_head": 16, "n_positions": 2048,
                  "rotary_dim": 64}, 6050882784),
    "falcon-7b": ({"model_type": "falcon", "vocab_size": 65024, "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
                   "multi_query": True, "parallel_attn": True, "bias": False}, 6921720704),
    "starcoder2-3b": ({**sizes(3072, 12288, 30, 24, 2), "model_type": "starcoder2", "vocab_size": 49152, "use_bias": True,
                       "max_position_embeddings": 16384}, 3030371328),
    "opt-125m": ({**OPT, "hidden_size": 768, "ffn_dim": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}, 125239296, 2 * 768),
    "opt-1.3b": ({**OPT, "hidden_size": 2048, "ffn_dim": 8192, "num_hidden_layers": 24, "num_attention_heads": 32}, 1315758080, 2 * 2048),
    "bloom-560m": ({"model_type": "bloom", "vocab_size": 250880, "n_embed": 1024, "n_layer": 24, "num_attention_heads": 16}, 559214592),
    "bloom-7b1": ({"model_type": "bloom", "vocab_size": 250880, "n_embed": 4096, "n_layer": 30, "num_attention_heads": 32}, 7069016064),
    "mpt-7b": ({"model_type": "mpt", "vocab_size": 50432, "d_model": 4096, "n_layers": 32, "n_heads": 32, "attn_config": {"alibi": True}},
               6649286656),
    "starcoderbase-1b": ({"model_type": "gpt_bigcode", "vocab_size": 49152, "n_embd": 2048, "n_layer": 24, "n_head": 16, "n_positions": 8192},
                         1137207296),
    "ERNIE-4.5-0.3B": ({**sizes(1024, 3072, 18, 16, 2), "model_type": "ernie4_5", "vocab_size": 103424, "head_dim": 128,
                        "max_position_embeddings": 131072}, 360748032),
    "EXAONE-4.0-1.2B": ({**sizes(2048, 4096, 30, 32, 8), **TIED, "model_type": "exaone4", "vocab_size": 102400, "sliding_window": None,
                         "layer_types": ["full_attention"] * 30, "max_position_embeddings": 65536}, 1279391488),
    "Seed-OSS-36B": ({**sizes(5120, 27648, 64, 80, 8), "model_type": "seed_oss", "vocab_size": 155136, "head_dim": 128,
                      "max_position_embeddings": 524288}, 36151104512),
    "gemma-2-2b": ({**GEMMA2, **sizes(2304, 9216, 26, 8, 4)}, 2614341888),
    "gemma-2-9b": ({**GEMMA2, **sizes(3584, 14336, 42, 16, 8)}, 9241705984),
    "gemma-3-1b": ({**sizes(1152, 6912, 26, 4, 1), "model_type": "gemma3_text", "vocab_size": 262144, "head_dim": 256,
                    "sliding_window": 512, "max_position_embeddings": 32768}, 999885952),
    "DeepSeek-V2-Lite": ({**sizes(2048, 10944, 27, 16, 16), "model_type": "deepseek_v2", "vocab_size": 102400, "kv_lora_rank": 512,
                          "q_lora_rank": None, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
                          "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6, "moe_intermediate_size": 1408,
                          "first_k_dense_replace": 1, "topk_method": "greedy", "scoring_func": "softmax", "norm_topk_prob": False,
                          "max_position_embeddings": 163840}, 15706484224),
    "Qwen1.5-MoE-A2.7B": ({**QWEN2, **sizes(2048, 5632, 24, 16, 16), "model_type": "qwen2_moe", "num_experts": 60,
                           "num_experts_per_tok": 4, "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632,
                           "norm_topk_prob": False}, 14315784192),
    "bert-large": ({**BERT, **sizes(1024, 4096, 24, 16)}, 335141888),
    "all-MiniLM-L6-v2": ({**BERT, **sizes(384, 1536, 6, 12)}, 22713216),
    "bge-small-en": ({**BERT, **sizes(384, 1536, 12, 12)}, 33360000),
    "distilbert-base": ({"model_type": "distilbert"}, 66362880),
    "ModernBERT-base": ({**sizes(768, 1152, 22, 12), "model_type": "modernbert", "vocab_size": 50368}, 149014272),
    "ModernBERT-large": ({**sizes(1024, 2624, 28, 16), "model_type": "modernbert", "vocab_size": 50368}, 394781696),
}

path = os.path.join(sys.argv[1], "config.json")
wrong = 0
for name, (config, published, *unread) in MODELS.items():
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    done = subprocess.run(["xfmr-inspect", path, "--json"], capture_output=True, text=True)
    found = json.loads(done.stdout)["parameters"]["total"] if done.returncode == 0 else done.stderr.strip()
    if found != published - sum(unread):
        print(f"{name}: {found}, published {published}, unread {sum(unread)}")
        wrong += 1
print(f"{len(MODELS) - wrong} of {len(MODELS)} as published")
