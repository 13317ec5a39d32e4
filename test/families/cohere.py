"""Cohere (Command-R): attention and network side by side on one norm without bias, interleaved rotation, scaled logits."""
from reference import *

CONFIG = {**SIZES, "architectures": ["CohereForCausalLM"], "model_type": "cohere", "layer_norm_eps": 1e-5, "rope_theta": 10000.0,
          "hidden_act": "silu", "logit_scale": 0.4, "use_qk_norm": False, "attention_bias": False, "tie_word_embeddings": True}


def tensors(c):
    return llama_tensors(c, second_norm=False, attention_bias=c["attention_bias"])


def step(c, w, token, position, cache):
    x = w["model.embed_tokens.weight"][token]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        n = layer_norm(w, p + "input_layernorm", x, c["layer_norm_eps"])
        q, k, v = projected(c, w, p + "self_attn", n)
        q, k = ([rotate(head, position, c["rope_theta"], interleaved=True) for head in part] for part in (q, k))
        mixed = linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v))
        x = add(x, mixed, gated(w, p + "mlp", n, c["hidden_act"]))
    x = layer_norm(w, "model.norm", x, c["layer_norm_eps"])
    return scaled(head(c, w, x), c["logit_scale"])
