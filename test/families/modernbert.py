"""ModernBERT: norms before both parts of a block, rotary positions, GeGLU; two of three layers see few tokens to either side."""
from reference import *

CONFIG = {"architectures": ["ModernBertModel"], "model_type": "modernbert", "vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 4,
          "num_attention_heads": 4, "intermediate_size": 40, "hidden_activation": "gelu", "norm_eps": 1e-5, "norm_bias": False,
          "max_position_embeddings": 64, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0, "global_attn_every_n_layers": 3,
          "local_attention": 16, "attention_bias": False, "mlp_bias": False, "pad_token_id": 0, "torch_dtype": "float32"}


def tensors(c):
    d, f = c["hidden_size"], c["intermediate_size"]
    shapes = {"model.embeddings.tok_embeddings.weight": [c["vocab_size"], d]}

    def norm(name):
        shapes[name + ".weight"] = [d]
        if c["norm_bias"]:
            shapes[name + ".bias"] = [d]

    def layer(name, rows, columns, bias):
        shapes[name + ".weight"] = [rows, columns]
        if bias:
            shapes[name + ".bias"] = [rows]

    norm("model.embeddings.norm")
    for number in range(c["num_hidden_layers"]):
        p = f"model.layers.{number}."
        if number:
            norm(p + "attn_norm")
        layer(p + "attn.Wqkv", 3 * d, d, c["attention_bias"])
        layer(p + "attn.Wo", d, d, c["attention_bias"])
        norm(p + "mlp_norm")
        layer(p + "mlp.Wi", 2 * f, d, c["mlp_bias"])
        layer(p + "mlp.Wo", d, f, c["mlp_bias"])
    norm("model.final_norm")
    return shapes


def hidden(c, w, ids):
    d, f, count = c["hidden_size"], c["intermediate_size"], c["num_attention_heads"]
    norm = lambda name, x: layer_norm(w, "model." + name, x, c["norm_eps"])
    states = [norm("embeddings.norm", w["model.embeddings.tok_embeddings.weight"][token]) for token in ids]
    for number in range(c["num_hidden_layers"]):
        m, p = f"layers.{number}.", f"model.layers.{number}."
        everywhere = number % c["global_attn_every_n_layers"] == 0
        theta = c["global_rope_theta"] if everywhere else c["local_rope_theta"]
        q, k, v = [], [], []
        for position, x in enumerate(states):
            fused = linear(w, p + "attn.Wqkv", norm(m + "attn_norm", x) if number else x)
            q.append([rotate(head, position, theta) for head in heads(fused[:d], count)])
            k.append([rotate(head, position, theta) for head in heads(fused[d:2 * d], count)])
            v.append(heads(fused[2 * d:], count))
        mixed = attend_both_ways(q, k, v, None if everywhere else c["local_attention"] // 2)
        states = [add(x, linear(w, p + "attn.Wo", y)) for x, y in zip(states, mixed)]
        for position, x in enumerate(states):
            fused = linear(w, p + "mlp.Wi", norm(m + "mlp_norm", x))
            gated_ = list(map(mul, activate(c["hidden_activation"], fused[:f]), fused[f:]))
            states[position] = add(x, linear(w, p + "mlp.Wo", gated_))
    return [norm("final_norm", x) for x in states]
