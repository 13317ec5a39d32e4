"""MPT: biases by distance (ALiBi), norms and projections without biases, queries, keys and values clamped in some sizes."""
from reference import *

CONFIG = {"architectures": ["MptForCausalLM"], "model_type": "mpt", "vocab_size": 96, "d_model": 32, "n_layers": 2, "n_heads": 4,
          "expansion_ratio": 2, "max_seq_len": 128, "no_bias": True, "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
          "attn_config": {"alibi": True, "alibi_bias_max": 8, "clip_qkv": None, "attn_type": "multihead_attention"}}


def tensors(c):
    d, f, t = c["d_model"], c["d_model"] * c["expansion_ratio"], "transformer."
    shapes = {t + "wte.weight": [c["vocab_size"], d]}
    for number in range(c["n_layers"]):
        p = f"{t}blocks.{number}."
        shapes |= {p + "norm_1.weight": [d], p + "attn.Wqkv.weight": [3 * d, d], p + "attn.out_proj.weight": [d, d],
                   p + "norm_2.weight": [d], p + "ffn.up_proj.weight": [f, d], p + "ffn.down_proj.weight": [d, f]}
    return shapes | {t + "norm_f.weight": [d]}


def step(c, w, token, position, cache):
    d, count, t, attention = c["d_model"], c["n_heads"], "transformer.", c["attn_config"]
    clip = attention.get("clip_qkv") or math.inf
    x = w[t + "wte.weight"][token]
    for number in range(c["n_layers"]):
        p = f"{t}blocks.{number}."
        fused = [min(max(entry, -clip), clip) for entry in linear(w, p + "attn.Wqkv", layer_norm(w, p + "norm_1", x, 1e-5))]
        q, k, v = heads(fused[:d], count), heads(fused[d:2 * d], count), heads(fused[2 * d:], count)
        # As MptModel's build_mpt_alibi_tensor: exponents of the next power of two, odd places first where there are fewer heads.
        places = 2 ** math.ceil(math.log2(count))
        slopes = [2 ** (-(i + 1) * attention.get("alibi_bias_max", 8) / places) for i in range(places)]
        if places != count:
            slopes = (slopes[1::2] + slopes[::2])[:count]
        x = add(x, linear(w, p + "attn.out_proj", attend(cache, number, q, k, v, attention.get("softmax_scale"), slopes=slopes)))
        inner = activate("gelu", linear(w, p + "ffn.up_proj", layer_norm(w, p + "norm_2", x, 1e-5)))
        x = add(x, linear(w, p + "ffn.down_proj", inner))
    return linear(w, t + "wte", layer_norm(w, t + "norm_f", x, 1e-5))
