"""GPT-J: attention without biases beside a network with them, interleaved rotation of the first entries of a head."""
from reference import *

CONFIG = {"architectures": ["GPTJForCausalLM"], "model_type": "gptj", "vocab_size": 96, "n_embd": 32, "n_layer": 2, "n_head": 2,
          "n_inner": None, "n_positions": 128, "rotary_dim": 8, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
          "scale_attn_weights": True, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2,
          "torch_dtype": "float32"}


def tensors(c):
    d, v = c["n_embd"], c["vocab_size"]
    f = c["n_inner"] or 4 * d
    shapes = {"transformer.wte.weight": [v, d]}
    for layer in range(c["n_layer"]):
        p = f"transformer.h.{layer}."
        shapes |= {p + "ln_1.weight": [d], p + "ln_1.bias": [d]}
        shapes |= {p + f"attn.{name}_proj.weight": [d, d] for name in ("k", "v", "q", "out")}
        shapes |= {p + "mlp.fc_in.weight": [f, d], p + "mlp.fc_in.bias": [f],
                   p + "mlp.fc_out.weight": [d, f], p + "mlp.fc_out.bias": [d]}
    return shapes | {"transformer.ln_f.weight": [d], "transformer.ln_f.bias": [d], "lm_head.weight": [v, d], "lm_head.bias": [v]}


def step(c, w, token, position, cache):
    x, eps = w["transformer.wte.weight"][token], c["layer_norm_epsilon"]
    for layer in range(c["n_layer"]):
        p = f"transformer.h.{layer}."
        n = layer_norm(w, p + "ln_1", x, eps)
        q, k, v = (heads(linear(w, p + f"attn.{name}_proj", n), c["n_head"]) for name in "qkv")
        q, k = ([rotate(head, position, 10000.0, c["rotary_dim"], interleaved=True) for head in part] for part in (q, k))
        mixed = linear(w, p + "attn.out_proj", attend(cache, layer, q, k, v))
        x = add(x, mixed, linear(w, p + "mlp.fc_out", activate(c["activation_function"], linear(w, p + "mlp.fc_in", n))))
    return linear(w, "lm_head", layer_norm(w, "transformer.ln_f", x, eps))
