"""OPT: learned positions that begin at row 2, layer norms before (or, in one size, after) both parts, biases, ReLU."""
from reference import *

CONFIG = {"architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": 96, "hidden_size": 32, "word_embed_proj_dim": 32,
          "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 48, "max_position_embeddings": 128,
          "activation_function": "relu", "do_layer_norm_before": True, "_remove_final_layer_norm": False, "enable_bias": True,
          "layer_norm_elementwise_affine": True, "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1, "prefix": "</s>",
          "layerdrop": 0.0, "torch_dtype": "float32"}


def tensors(c):
    d, f = c["hidden_size"], c["ffn_dim"]
    shapes = {"model.decoder.embed_tokens.weight": [c["vocab_size"], d],
              "model.decoder.embed_positions.weight": [c["max_position_embeddings"] + 2, d]}
    for layer in range(c["num_hidden_layers"]):
        p = f"model.decoder.layers.{layer}."
        for name, rows, columns in (("self_attn.q_proj", d, d), ("self_attn.k_proj", d, d), ("self_attn.v_proj", d, d),
                                    ("self_attn.out_proj", d, d), ("fc1", f, d), ("fc2", d, f)):
            shapes[p + name + ".weight"] = [rows, columns]
            if c["enable_bias"]:
                shapes[p + name + ".bias"] = [rows]
        for name in ("self_attn_layer_norm", "final_layer_norm"):
            shapes |= {p + name + ".weight": [d], p + name + ".bias": [d]}
    if c["do_layer_norm_before"]:
        shapes |= {"model.decoder.final_layer_norm.weight": [d], "model.decoder.final_layer_norm.bias": [d]}
    return shapes


def step(c, w, token, position, cache):
    x = add(w["model.decoder.embed_tokens.weight"][token], w["model.decoder.embed_positions.weight"][position + 2])
    before = c["do_layer_norm_before"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.decoder.layers.{layer}."
        first = lambda x: layer_norm(w, p + "self_attn_layer_norm", x, 1e-5)
        last = lambda x: layer_norm(w, p + "final_layer_norm", x, 1e-5)
        q, k, v = projected(c, w, p + "self_attn", first(x) if before else x)
        x = add(x, linear(w, p + "self_attn.out_proj", attend(cache, layer, q, k, v)))
        x = x if before else first(x)
        fed = linear(w, p + "fc2", activate(c["activation_function"], linear(w, p + "fc1", last(x) if before else x)))
        x = add(x, fed) if before else last(add(x, fed))
    if before:
        x = layer_norm(w, "model.decoder.final_layer_norm", x, 1e-5)
    return linear(w, "model.decoder.embed_tokens", x)
