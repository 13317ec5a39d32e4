"""Llama, whose expected values are known from elsewhere: it checks the parts that the families beside it share."""
from reference import *

CONFIG = {**SIZES, "architectures": ["LlamaForCausalLM"], "model_type": "llama", "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
          "hidden_act": "silu", "tie_word_embeddings": False}


def tensors(c):
    return llama_tensors(c)


def step(c, w, token, position, cache):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, c["rms_norm_eps"]))
        q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v)))
        x = add(x, gated(w, p + "mlp", rms_norm(w, p + "post_attention_layernorm", x, c["rms_norm_eps"]), c["hidden_act"]))
    return head(c, w, rms_norm(w, "model.norm", x, c["rms_norm_eps"]))
