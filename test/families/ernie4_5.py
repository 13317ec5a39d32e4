"""ERNIE 4.5, dense: Llama whose queries and keys turn in neighbouring pairs; one key for all biases."""
from reference import *

CONFIG = {**SIZES, "architectures": ["Ernie4_5ForCausalLM"], "model_type": "ernie4_5", "head_dim": 16, "rms_norm_eps": 1e-5,
          "rope_theta": 500000.0, "hidden_act": "silu", "use_bias": False, "tie_word_embeddings": True}


def tensors(c):
    return llama_tensors(c, attention_bias=c["use_bias"], mlp_bias=c["use_bias"])


def network(c, w, layer, p, x):
    return gated(w, p, x, c["hidden_act"])


def step(c, w, token, position, cache, network=network):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, c["rms_norm_eps"]))
        q, k = ([rotate(head, position, c["rope_theta"], interleaved=True) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v)))
        x = add(x, network(c, w, layer, p + "mlp", rms_norm(w, p + "post_attention_layernorm", x, c["rms_norm_eps"])))
    return head(c, w, rms_norm(w, "model.norm", x, c["rms_norm_eps"]))
