"""Ministral 3: Llama over YaRN's frequencies whose queries grow with their position."""
from reference import *

CONFIG = {**SIZES, "architectures": ["Ministral3ForCausalLM"], "model_type": "ministral3", "head_dim": 16, "rms_norm_eps": 1e-5,
          "hidden_act": "silu", "sliding_window": None, "tie_word_embeddings": False,
          "rope_parameters": {"type": "yarn", "rope_type": "yarn", "rope_theta": 10000.0, "factor": 16.0, "original_max_position_embeddings": 16,
                              "max_position_embeddings": 128, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0,
                              "llama_4_scaling_beta": 0.4}}

tensors = llama_tensors


def frequencies(rope, size):
    """Those below a border turn as ever, those above another slower by the factor, a ramp between."""
    theta, length = rope["rope_theta"], rope["original_max_position_embeddings"]
    border = lambda turns: size * math.log(length / (turns * 2 * math.pi)) / (2 * math.log(theta))
    low, high = max(math.floor(border(rope["beta_fast"])), 0), min(math.ceil(border(rope["beta_slow"])), size - 1)
    high += 0.001 * (low == high)
    out = []
    for i in range(size // 2):
        ramp, plain = min(max((i - low) / (high - low), 0), 1), theta ** (-2 * i / size)
        out.append(plain * (1 - ramp) + plain / rope["factor"] * ramp)
    return out


def turn(head, angles):
    half = len(head) // 2
    pairs = [(head[i] * math.cos(a) - head[i + half] * math.sin(a), head[i + half] * math.cos(a) + head[i] * math.sin(a))
             for i, a in enumerate(angles)]
    return [first for first, _ in pairs] + [second for _, second in pairs]


def step(c, w, token, position, cache):
    x, eps, rope = w["model.embed_tokens.weight"][token], c["rms_norm_eps"], c["rope_parameters"]
    angles = [position * f for f in frequencies(rope, c["head_dim"])]
    growth = 1 + rope["llama_4_scaling_beta"] * math.log(1 + position // rope["original_max_position_embeddings"])
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, eps))
        q = [scaled(turn(head, angles), growth) for head in q]
        k = [turn(head, angles) for head in k]
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v, window=c["sliding_window"])))
        x = add(x, gated(w, p + "mlp", rms_norm(w, p + "post_attention_layernorm", x, eps), c["hidden_act"]))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
