"""Cohere 2 (Command-R7B, Command-A): Cohere whose layers slide and turn, but for every fourth, which does neither."""
import cohere
from reference import *

CONFIG = {**cohere.CONFIG, "architectures": ["Cohere2ForCausalLM"], "model_type": "cohere2", "num_hidden_layers": 4,
          "head_dim": 8, "sliding_window": 12, "sliding_window_pattern": 4, "order_of_interleaved_layers": "local_attn_first"}
del CONFIG["use_qk_norm"]

tensors = cohere.tensors


def step(c, w, token, position, cache):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        slides = (layer + 1) % c["sliding_window_pattern"] != 0
        n = layer_norm(w, p + "input_layernorm", x, c["layer_norm_eps"])
        q, k, v = projected(c, w, p + "self_attn", n)
        if slides:
            q, k = ([rotate(head, position, c["rope_theta"], interleaved=True) for head in part] for part in (q, k))
        mixed = attend(cache, layer, q, k, v, window=c["sliding_window"] if slides else None)
        x = add(x, linear(w, p + "self_attn.o_proj", mixed), gated(w, p + "mlp", n, c["hidden_act"]))
    x = layer_norm(w, "model.norm", x, c["layer_norm_eps"])
    return scaled(head(c, w, x), c["logit_scale"])
