"""MiniMax M2: norms over all queries and all keys, a part of each head turned, experts chosen by a sigmoid and a bias."""
from reference import *

CONFIG = {**SIZES, "architectures": ["MiniMaxM2ForCausalLM"], "model_type": "minimax_m2", "head_dim": 16, "rotary_dim": 8, "rms_norm_eps": 1e-6,
          "rope_theta": 5000000.0, "hidden_act": "silu", "intermediate_size": 20, "num_local_experts": 8, "num_experts_per_tok": 3,
          "scoring_func": "sigmoid", "use_routing_bias": True, "use_qk_norm": True, "qk_norm_type": "per_layer", "shared_intermediate_size": 0,
          "attn_type_list": [1, 1], "tie_word_embeddings": False}


def tensors(c):
    d, f, h = c["hidden_size"], c["intermediate_size"], head_dim(c)
    shapes = {name: shape for name, shape in llama_tensors(c).items() if ".mlp." not in name}
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        shapes |= {p + "self_attn.q_norm.weight": [c["num_attention_heads"] * h], p + "self_attn.k_norm.weight": [c["num_key_value_heads"] * h]}
        p += "block_sparse_moe."
        shapes |= {p + "gate.weight": [c["num_local_experts"], d], p + "e_score_correction_bias": [c["num_local_experts"]]}
        for expert in range(c["num_local_experts"]):
            shapes |= {f"{p}experts.{expert}.w{i}.weight": [d, f] if i == 2 else [f, d] for i in (1, 2, 3)}
    return shapes


def experts(c, w, p, x):
    chosen = chosen_by_sigmoid(linear(w, p + ".gate", x), w[p + ".e_score_correction_bias"], c["num_experts_per_tok"])
    total, parts = sum(chosen.values()), []
    for e, score in chosen.items():
        name = f"{p}.experts.{e}.w"
        hidden = map(mul, activate(c["hidden_act"], linear(w, name + "1", x)), linear(w, name + "3", x))
        parts.append(scaled(linear(w, name + "2", list(hidden)), score / total))
    return add(*parts)


def step(c, w, token, position, cache):
    x, eps = w["model.embed_tokens.weight"][token], c["rms_norm_eps"]
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        n = rms_norm(w, p + "input_layernorm", x, eps)
        q = heads(rms_norm(w, p + "self_attn.q_norm", linear(w, p + "self_attn.q_proj", n), eps), c["num_attention_heads"])
        k = heads(rms_norm(w, p + "self_attn.k_norm", linear(w, p + "self_attn.k_proj", n), eps), c["num_key_value_heads"])
        v = heads(linear(w, p + "self_attn.v_proj", n), c["num_key_value_heads"])
        q, k = ([rotate(head, position, c["rope_theta"], c.get("rotary_dim")) for head in part] for part in (q, k))
        x = add(x, linear(w, p + "self_attn.o_proj", attend(cache, layer, q, k, v)))
        x = add(x, experts(c, w, p + "block_sparse_moe", rms_norm(w, p + "post_attention_layernorm", x, eps)))
    return head(c, w, rms_norm(w, "model.norm", x, eps))
