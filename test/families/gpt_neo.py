"""GPT-Neo: GPT-2 with separate projections, scores without a scale, every second layer over a window."""
from reference import *

CONFIG = {"architectures": ["GPTNeoForCausalLM"], "model_type": "gpt_neo", "vocab_size": 96, "hidden_size": 32, "num_layers": 2, "num_heads": 4,
          "intermediate_size": None, "max_position_embeddings": 128, "window_size": 12, "attention_types": [[["global", "local"], 1]],
          "attention_layers": ["global", "local"], "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "bos_token_id": 1,
          "eos_token_id": 2, "torch_dtype": "float32", "tie_word_embeddings": True}


def tensors(c):
    d, f = c["hidden_size"], c["intermediate_size"] or 4 * c["hidden_size"]
    shapes = {"transformer.wte.weight": [c["vocab_size"], d], "transformer.wpe.weight": [c["max_position_embeddings"], d]}
    for layer in range(c["num_layers"]):
        p = f"transformer.h.{layer}."
        for name in ("ln_1", "ln_2"):
            shapes |= {p + name + ".weight": [d], p + name + ".bias": [d]}
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes[f"{p}attn.attention.{name}.weight"] = [d, d]
        shapes[p + "attn.attention.out_proj.bias"] = [d]
        shapes |= {p + "mlp.c_fc.weight": [f, d], p + "mlp.c_fc.bias": [f], p + "mlp.c_proj.weight": [d, f], p + "mlp.c_proj.bias": [d]}
    shapes |= {"transformer.ln_f.weight": [d], "transformer.ln_f.bias": [d]}
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [c["vocab_size"], d]
    return shapes


def step(c, w, token, position, cache):
    eps, kinds = c["layer_norm_epsilon"], [kind for part, count in c["attention_types"] for kind in part * count]
    x = add(w["transformer.wte.weight"][token], w["transformer.wpe.weight"][position])
    for layer in range(c["num_layers"]):
        p = f"transformer.h.{layer}."
        n = layer_norm(w, p + "ln_1", x, eps)
        q, k, v = (heads(linear(w, f"{p}attn.attention.{name}_proj", n), c["num_heads"]) for name in "qkv")
        window = c["window_size"] if kinds[layer] == "local" else None
        x = add(x, linear(w, p + "attn.attention.out_proj", attend(cache, layer, q, k, v, scale=1.0, window=window)))
        n = layer_norm(w, p + "ln_2", x, eps)
        x = add(x, linear(w, p + "mlp.c_proj", activate(c["activation_function"], linear(w, p + "mlp.c_fc", n))))
    return head(c, w, layer_norm(w, "transformer.ln_f", x, eps), "transformer.wte")
