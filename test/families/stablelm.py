"""StableLM: Llama with layer norms and rotation of a quarter of each head; in some sizes attention beside the network."""
from reference import *

CONFIG = {**SIZES, "architectures": ["StableLmForCausalLM"], "model_type": "stablelm", "layer_norm_eps": 1e-5,
          "rope_theta": 10000.0, "partial_rotary_factor": 0.25, "hidden_act": "silu", "use_qkv_bias": True,
          "qk_layernorm": False, "use_parallel_residual": False, "tie_word_embeddings": False}


def tensors(c):
    shapes = llama_tensors(c, norm_bias=True, attention_bias=c["use_qkv_bias"], second_norm=not c["use_parallel_residual"])
    return {name: shape for name, shape in shapes.items() if not name.endswith("o_proj.bias")}


def step(c, w, token, position, cache):
    x, n_rotated = w["model.embed_tokens.weight"][token], int(head_dim(c) * c["partial_rotary_factor"])
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        n = layer_norm(w, p + "input_layernorm", x, c["layer_norm_eps"])
        q, k, v = projected(c, w, p + "self_attn", n)
        q, k = ([rotate(head, position, c["rope_theta"], n_rotated) for head in part] for part in (q, k))
        mixed = linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v))
        if c["use_parallel_residual"]:
            x = add(x, mixed, gated(w, p + "mlp", n, c["hidden_act"]))
        else:
            x = add(x, mixed)
            x = add(x, gated(w, p + "mlp", layer_norm(w, p + "post_attention_layernorm", x, c["layer_norm_eps"]), c["hidden_act"]))
    return head(c, w, layer_norm(w, "model.norm", x, c["layer_norm_eps"]))
