"""BLOOM: biases by distance (ALiBi), a norm behind the embedding, queries, keys and values of a head side by side, biases, GELU."""
from reference import *

CONFIG = {"architectures": ["BloomForCausalLM"], "model_type": "bloom", "vocab_size": 96, "hidden_size": 36, "n_layer": 2, "n_head": 6,
          "layer_norm_epsilon": 1e-5, "apply_residual_connection_post_layernorm": False, "bos_token_id": 1, "eos_token_id": 2,
          "seq_length": 128, "torch_dtype": "float32"}


def tensors(c):
    d, t = c["hidden_size"], "transformer."
    shapes = {t + "word_embeddings.weight": [c["vocab_size"], d]}

    def layer(name, rows, columns):
        shapes.update({name + ".weight": [rows, columns], name + ".bias": [rows]})

    def norm(name):
        shapes.update({name + ".weight": [d], name + ".bias": [d]})

    norm(t + "word_embeddings_layernorm")
    for number in range(c["n_layer"]):
        p = f"{t}h.{number}."
        norm(p + "input_layernorm")
        layer(p + "self_attention.query_key_value", 3 * d, d)
        layer(p + "self_attention.dense", d, d)
        norm(p + "post_attention_layernorm")
        layer(p + "mlp.dense_h_to_4h", 4 * d, d)
        layer(p + "mlp.dense_4h_to_h", d, 4 * d)
    norm(t + "ln_f")
    return shapes


def step(c, w, token, position, cache):
    eps, count, t = c["layer_norm_epsilon"], c["n_head"], "transformer."
    x = layer_norm(w, t + "word_embeddings_layernorm", w[t + "word_embeddings.weight"][token], eps)
    for number in range(c["n_layer"]):
        p = f"{t}h.{number}."
        parts = heads(linear(w, p + "self_attention.query_key_value", layer_norm(w, p + "input_layernorm", x, eps)), 3 * count)
        mixed = attend(cache, number, parts[::3], parts[1::3], parts[2::3], slopes=alibi_slopes(count))
        x = add(x, linear(w, p + "self_attention.dense", mixed))
        inner = activate("gelu_new", linear(w, p + "mlp.dense_h_to_4h", layer_norm(w, p + "post_attention_layernorm", x, eps)))
        x = add(x, linear(w, p + "mlp.dense_4h_to_h", inner))
    return linear(w, t + "word_embeddings", layer_norm(w, t + "ln_f", x, eps))
