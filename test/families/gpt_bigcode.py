"""GPT-BigCode: learned positions, layer norms, biases; all queries share one key head, or the fused rows go head by head."""
from reference import *

CONFIG = {"architectures": ["GPTBigCodeForCausalLM"], "model_type": "gpt_bigcode", "vocab_size": 96, "n_embd": 32, "n_layer": 2,
          "n_head": 4, "n_inner": None, "n_positions": 128, "activation_function": "gelu_pytorch_tanh", "layer_norm_epsilon": 1e-5,
          "scale_attn_weights": True, "multi_query": True, "attention_softmax_in_fp32": True, "scale_attention_softmax_in_fp32": True,
          "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32"}


def tensors(c):
    d, f, h = c["n_embd"], c["n_inner"] or 4 * c["n_embd"], c["n_embd"] // c["n_head"]
    shapes = {"transformer.wte.weight": [c["vocab_size"], d], "transformer.wpe.weight": [c["n_positions"], d]}
    for layer in range(c["n_layer"]):
        p = f"transformer.h.{layer}."
        for name, rows, columns in (("attn.c_attn", d + 2 * h if c["multi_query"] else 3 * d, d), ("attn.c_proj", d, d),
                                    ("mlp.c_fc", f, d), ("mlp.c_proj", d, f)):
            shapes |= {p + name + ".weight": [rows, columns], p + name + ".bias": [rows]}
        for name in ("ln_1", "ln_2"):
            shapes |= {p + name + ".weight": [d], p + name + ".bias": [d]}
    return shapes | {"transformer.ln_f.weight": [d], "transformer.ln_f.bias": [d]}


def step(c, w, token, position, cache):
    x = add(w["transformer.wte.weight"][token], w["transformer.wpe.weight"][position])
    d, count, eps = c["n_embd"], c["n_head"], c["layer_norm_epsilon"]
    h = d // count
    for layer in range(c["n_layer"]):
        p = f"transformer.h.{layer}."
        fused = linear(w, p + "attn.c_attn", layer_norm(w, p + "ln_1", x, eps))
        if c["multi_query"]:
            q, k, v = heads(fused[:d], count), [fused[d : d + h]], [fused[d + h :]]
        else:
            q, k, v = ([part[i * h : (i + 1) * h] for part in heads(fused, count)] for i in range(3))
        mixed = attend(cache, layer, q, k, v, scale=None if c["scale_attn_weights"] else 1.0)
        x = add(x, linear(w, p + "attn.c_proj", mixed))
        fed = activate(c["activation_function"], linear(w, p + "mlp.c_fc", layer_norm(w, p + "ln_2", x, eps)))
        x = add(x, linear(w, p + "mlp.c_proj", fed))
    return linear(w, "transformer.wte", layer_norm(w, "transformer.ln_f", x, eps))
