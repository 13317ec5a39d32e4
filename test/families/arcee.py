"""Arcee: Llama with a network without gate, whose activation is a squared ReLU."""
from reference import *

CONFIG = {**SIZES, "architectures": ["ArceeForCausalLM"], "model_type": "arcee", "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
          "hidden_act": "relu2", "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": False}


def tensors(c):
    return llama_tensors(c, mlp=("up_proj", "down_proj"), attention_bias=c["attention_bias"], mlp_bias=c["mlp_bias"])


def step(c, w, token, position, cache):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, c["rms_norm_eps"]))
        q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v)))
        n = rms_norm(w, p + "post_attention_layernorm", x, c["rms_norm_eps"])
        x = add(x, linear(w, p + "mlp.down_proj", activate(c["hidden_act"], linear(w, p + "mlp.up_proj", n))))
    return head(c, w, rms_norm(w, "model.norm", x, c["rms_norm_eps"]))
