"""Phi 1, 1.5 and 2: attention and network side by side on one norm, rotation of half of each head, a head with a bias."""
from reference import *

CONFIG = {**SIZES, "architectures": ["PhiForCausalLM"], "model_type": "phi", "layer_norm_eps": 1e-5, "rope_theta": 10000.0,
          "partial_rotary_factor": 0.5, "hidden_act": "gelu_new", "qk_layernorm": False, "tie_word_embeddings": False}


def tensors(c):
    return llama_tensors(c, mlp=("fc1", "fc2"), norm_bias=True, attention_bias=True, mlp_bias=True, second_norm=False,
                         out="dense", final="model.final_layernorm", head_bias=True)


def step(c, w, token, position, cache):
    x, n_rotated = w["model.embed_tokens.weight"][token], int(head_dim(c) * c["partial_rotary_factor"])
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        n = layer_norm(w, p + "input_layernorm", x, c["layer_norm_eps"])
        q, k, v = projected(c, w, p + "self_attn", n)
        q, k = ([rotate(head, position, c["rope_theta"], n_rotated) for head in part] for part in (q, k))
        mixed = linear(w, p + "self_attn.dense", attend(cache, layer, q, k, v))
        x = add(x, mixed, linear(w, p + "mlp.fc2", activate(c["hidden_act"], linear(w, p + "mlp.fc1", n))))
    return head(c, w, layer_norm(w, "model.final_layernorm", x, c["layer_norm_eps"]))
