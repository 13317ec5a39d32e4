"""EXAONE 4: norms behind both parts and on every query and key head; where some layers slide, the others do not turn."""
from reference import *

CONFIG = {**SIZES, "architectures": ["Exaone4ForCausalLM"], "model_type": "exaone4", "num_hidden_layers": 4, "rms_norm_eps": 1e-5,
          "rope_theta": 10000.0, "hidden_act": "silu", "sliding_window": 12, "sliding_window_pattern": "LLLG",
          "layer_types": ["sliding_attention"] * 3 + ["full_attention"], "tie_word_embeddings": False}


def tensors(c):
    d, h = c["hidden_size"], head_dim(c)
    shapes = llama_tensors(c)
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        del shapes[p + "input_layernorm.weight"]
        shapes |= {p + "post_feedforward_layernorm.weight": [d], p + "self_attn.q_norm.weight": [h], p + "self_attn.k_norm.weight": [h]}
    return shapes


def step(c, w, token, position, cache):
    x, eps = w["model.embed_tokens.weight"][token], c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", x)
        q, k = ([rms_norm(w, f"{p}self_attn.{name}_norm", head, eps) for head in part] for name, part in (("q", q), ("k", k)))
        slides = c["layer_types"][layer] == "sliding_attention"
        if slides or not c["sliding_window"]:
            q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        mixed = linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v, window=c["sliding_window"] if slides else None))
        x = add(x, rms_norm(w, p + "post_attention_layernorm", mixed, eps))
        x = add(x, rms_norm(w, p + "post_feedforward_layernorm", gated(w, p + "mlp", x, c["hidden_act"]), eps))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
