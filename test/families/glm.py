"""GLM-4: Llama with biases on q, k and v, one half of each head turned in neighbouring pairs, gate and up in one projection."""
from reference import *

CONFIG = {**SIZES, "architectures": ["GlmForCausalLM"], "model_type": "glm", "head_dim": 16, "rms_norm_eps": 1.5625e-7,
          "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "hidden_act": "silu", "attention_bias": True, "tie_word_embeddings": False}


def tensors(c):
    d, f = c["hidden_size"], c["intermediate_size"]
    shapes = llama_tensors(c, mlp=("gate_up_proj", "down_proj"), attention_bias=c["attention_bias"])
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        shapes.pop(p + "self_attn.o_proj.bias", None)
        shapes[p + "mlp.gate_up_proj.weight"] = [2 * f, d]
    return shapes


def attention(c, w, p, x, layer, position, cache):
    q, k, v = projected(c, w, p + "self_attn", x)
    turned = int(c["partial_rotary_factor"] * c["head_dim"])
    q, k = ([rotate(head, position, c["rope_theta"], turned, interleaved=True) for head in part] for part in (q, k))
    return linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v))


def network(c, w, p, x):
    both = linear(w, p + "mlp.gate_up_proj", x)
    gate, up = both[: len(both) // 2], both[len(both) // 2 :]
    return linear(w, p + "mlp.down_proj", list(map(mul, activate(c["hidden_act"], gate), up)))


def step(c, w, token, position, cache):
    x, eps = w["model.embed_tokens.weight"][token], c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        x = add(x, attention(c, w, p, rms_norm(w, p + "input_layernorm", x, eps), layer, position, cache))
        x = add(x, network(c, w, p, rms_norm(w, p + "post_attention_layernorm", x, eps)))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
