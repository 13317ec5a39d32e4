"""dots.llm1: norms of each head as Qwen 3 has them, experts chosen by a sigmoid and a bias beside shared ones as DeepSeek V3 has them."""
from reference import *

CONFIG = {**SIZES, "architectures": ["Dots1ForCausalLM"], "model_type": "dots1", "num_hidden_layers": 3, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
          "hidden_act": "silu", "attention_bias": False, "n_routed_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 20,
          "n_shared_experts": 2, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1, "norm_topk_prob": True, "routed_scaling_factor": 2.5,
          "sliding_window": 12, "max_window_layers": 2, "layer_types": ["full_attention", "full_attention", "sliding_attention"],
          "tie_word_embeddings": False}


def tensors(c):
    d, f, h, shapes = c["hidden_size"], c["moe_intermediate_size"], head_dim(c), llama_tensors(c, attention_bias=c["attention_bias"])

    def network(name, width):
        shapes.update({name + ".gate_proj.weight": [width, d], name + ".up_proj.weight": [width, d], name + ".down_proj.weight": [d, width]})

    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        shapes |= {p + "self_attn.q_norm.weight": [h], p + "self_attn.k_norm.weight": [h]}
        if layer < c["first_k_dense_replace"]:
            continue
        for name in ("gate_proj", "up_proj", "down_proj"):
            del shapes[f"{p}mlp.{name}.weight"]
        shapes |= {p + "mlp.gate.weight": [c["n_routed_experts"], d], p + "mlp.gate.e_score_correction_bias": [c["n_routed_experts"]]}
        for expert in range(c["n_routed_experts"]):
            network(f"{p}mlp.experts.{expert}", f)
        if c["n_shared_experts"]:
            network(p + "mlp.shared_experts", f * c["n_shared_experts"])
    return shapes


def experts(c, w, p, x):
    chosen = chosen_by_sigmoid(linear(w, p + ".gate", x), w[p + ".gate.e_score_correction_bias"], c["num_experts_per_tok"])
    factor = c["routed_scaling_factor"] / (sum(chosen.values()) if c["norm_topk_prob"] else 1.0)
    parts = [scaled(gated(w, f"{p}.experts.{e}", x, c["hidden_act"]), score * factor) for e, score in chosen.items()]
    if c["n_shared_experts"]:
        parts.append(gated(w, p + ".shared_experts", x, c["hidden_act"]))
    return add(*parts)


def step(c, w, token, position, cache):
    x, eps = w["model.embed_tokens.weight"][token], c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        q, k, v = projected(c, w, p + "self_attn", rms_norm(w, p + "input_layernorm", x, eps))
        q, k = ([rotate(rms_norm(w, f"{p}self_attn.{name}_norm", head, eps), position, c["rope_theta"]) for head in part]
                for name, part in (("q", q), ("k", k)))
        window = c["sliding_window"] if c["layer_types"][layer] == "sliding_attention" else None
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v, window=window)))
        n = rms_norm(w, p + "post_attention_layernorm", x, eps)
        dense = layer < c["first_k_dense_replace"]
        x = add(x, gated(w, p + "mlp", n, c["hidden_act"]) if dense else experts(c, w, p + "mlp", n))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
