"""Helium: Llama whose queries and keys turn in neighbouring pairs."""
from reference import *

CONFIG = {**SIZES, "architectures": ["HeliumForCausalLM"], "model_type": "helium", "head_dim": 8, "rms_norm_eps": 1e-8, "rope_theta": 100000.0,
          "hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": False}


def tensors(c):
    shapes = llama_tensors(c, attention_bias=c["attention_bias"], mlp_bias=c["mlp_bias"])
    return {name: shape for name, shape in shapes.items() if not name.endswith("o_proj.bias")}


def step(c, w, token, position, cache):
    x, eps = w["model.embed_tokens.weight"][token], c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, eps))
        q, k = ([rotate(head, position, c["rope_theta"], interleaved=True) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v)))
        x = add(x, gated(w, p + "mlp", rms_norm(w, p + "post_attention_layernorm", x, eps), c["hidden_act"]))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
