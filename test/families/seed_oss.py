"""Seed-OSS: Llama with biases on q, k and v, and a key of its own for that of the output projection."""
from reference import *

CONFIG = {**SIZES, "architectures": ["SeedOssForCausalLM"], "model_type": "seed_oss", "head_dim": 16, "rms_norm_eps": 1e-6,
          "rope_theta": 10000.0, "hidden_act": "silu", "attention_bias": True, "attention_out_bias": False, "mlp_bias": False,
          "tie_word_embeddings": False}


def tensors(c):
    shapes = llama_tensors(c, mlp_bias=c["mlp_bias"])
    for layer in range(c["num_hidden_layers"]):
        a = f"model.layers.{layer}.self_attn."
        for name in ["q_proj", "k_proj", "v_proj"] * c["attention_bias"] + ["o_proj"] * c["attention_out_bias"]:
            shapes[a + name + ".bias"] = shapes[a + name + ".weight"][:1]
    return shapes


def step(c, w, token, position, cache):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, c["rms_norm_eps"]))
        q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v)))
        x = add(x, gated(w, p + "mlp", rms_norm(w, p + "post_attention_layernorm", x, c["rms_norm_eps"]), c["hidden_act"]))
    return head(c, w, rms_norm(w, "model.norm", x, c["rms_norm_eps"]))
