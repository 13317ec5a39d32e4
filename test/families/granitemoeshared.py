"""Granite-MoE with an expert that every token takes: Llama with four multipliers, stacked experts, weights a softmax over the chosen."""
from reference import *

CONFIG = {**SIZES, "architectures": ["GraniteMoeSharedForCausalLM"], "model_type": "granitemoeshared", "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
          "hidden_act": "silu", "attention_bias": False, "intermediate_size": 20, "num_local_experts": 8, "num_experts_per_tok": 3,
          "shared_intermediate_size": 28, "embedding_multiplier": 2.0, "attention_multiplier": 0.3, "residual_multiplier": 0.5,
          "logits_scaling": 0.5, "tie_word_embeddings": False}


def tensors(c):
    d, f, e, s = c["hidden_size"], c["intermediate_size"], c["num_local_experts"], c["shared_intermediate_size"]
    shapes = {name: shape for name, shape in llama_tensors(c, attention_bias=c["attention_bias"]).items() if ".mlp." not in name}
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        m = p + "block_sparse_moe."
        shapes |= {m + "router.layer.weight": [e, d], m + "input_linear.weight": [e, 2 * f, d], m + "output_linear.weight": [e, d, f]}
        if s:
            shapes |= {p + "shared_mlp.input_linear.weight": [2 * s, d], p + "shared_mlp.output_linear.weight": [d, s]}
    return shapes


def network(c, first, second, x):
    """Of two matrices, the first with gate rows and then up rows."""
    both = [dot(row, x) for row in first]
    hidden = list(map(mul, activate(c["hidden_act"], both[: len(both) // 2]), both[len(both) // 2 :]))
    return [dot(row, hidden) for row in second]


def experts(c, w, p, x):
    logits = linear(w, p + ".router.layer", x)
    chosen = sorted(range(len(logits)), key=lambda e: -logits[e])[: c["num_experts_per_tok"]]
    powers = [math.exp(logits[e] - logits[chosen[0]]) for e in chosen]
    first, second = w[p + ".input_linear.weight"], w[p + ".output_linear.weight"]
    return add(*(scaled(network(c, first[e], second[e], x), power / sum(powers)) for e, power in zip(chosen, powers)))


def step(c, w, token, position, cache):
    x, eps = scaled(w["model.embed_tokens.weight"][token], c["embedding_multiplier"]), c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, eps))
        q, k = ([rotate(head, position, c["rope_theta"]) for head in part] for part in (q, k))
        mixed = linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v, scale=c["attention_multiplier"]))
        x = add(x, scaled(mixed, c["residual_multiplier"]))
        n = rms_norm(w, p + "post_attention_layernorm", x, eps)
        fed = experts(c, w, p + "block_sparse_moe", n)
        if c["shared_intermediate_size"]:
            fed = add(fed, network(c, w[p + "shared_mlp.input_linear.weight"], w[p + "shared_mlp.output_linear.weight"], n))
        x = add(x, scaled(fed, c["residual_multiplier"]))
    return scaled(head(c, w, rms_norm(w, "model.norm", x, eps)), 1 / c["logits_scaling"])
