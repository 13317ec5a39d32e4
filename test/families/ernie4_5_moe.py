"""ERNIE 4.5 with experts: the dense model whose later layers choose experts by softmax and a bias that is for the choice alone."""
import ernie4_5
from reference import *

CONFIG = {**ernie4_5.CONFIG, "architectures": ["Ernie4_5_MoeForCausalLM"], "model_type": "ernie4_5_moe", "moe_num_experts": 8, "moe_k": 3,
          "moe_intermediate_size": 20, "moe_num_shared_experts": 2, "moe_layer_start_index": 1, "moe_layer_end_index": -1,
          "moe_layer_interval": 1, "moe_norm_min": 1e-12}


def has_experts(c, layer):
    end = c["moe_layer_end_index"]
    last = c["num_hidden_layers"] - 1 if end == -1 else end
    return (layer + 1) % c["moe_layer_interval"] == 0 and c["moe_layer_start_index"] <= layer <= last


def tensors(c):
    d, shapes = c["hidden_size"], ernie4_5.tensors(c)

    def network(name, width):
        shapes.update({name + ".gate_proj.weight": [width, d], name + ".up_proj.weight": [width, d], name + ".down_proj.weight": [d, width]})

    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}.mlp."
        if not has_experts(c, layer):
            continue
        for name in ("gate_proj", "up_proj", "down_proj"):
            del shapes[p + name + ".weight"]
        shapes[p + "gate.weight"] = [c["moe_num_experts"], d]
        shapes[p + "moe_statics.e_score_correction_bias"] = [1, c["moe_num_experts"]]
        for expert in range(c["moe_num_experts"]):
            network(f"{p}experts.{expert}", c["moe_intermediate_size"])
        if c["moe_num_shared_experts"]:
            network(p + "shared_experts", c["moe_intermediate_size"] * c["moe_num_shared_experts"])
    return shapes


def experts(c, w, p, x):
    logits = linear(w, p + ".gate", x)
    largest = max(logits)
    powers = [math.exp(z - largest) for z in logits]
    probabilities = [power / sum(powers) for power in powers]
    corrected = add(probabilities, w[p + ".moe_statics.e_score_correction_bias"][0])
    chosen = sorted(range(len(logits)), key=lambda e: -corrected[e])[: c["moe_k"]]
    total = max(sum(probabilities[e] for e in chosen), c["moe_norm_min"])
    parts = [scaled(gated(w, f"{p}.experts.{e}", x, c["hidden_act"]), probabilities[e] / total) for e in chosen]
    if c["moe_num_shared_experts"]:
        parts.append(gated(w, p + ".shared_experts", x, c["hidden_act"]))
    return add(*parts)


def network(c, w, layer, p, x):
    return experts(c, w, p, x) if has_experts(c, layer) else ernie4_5.network(c, w, layer, p, x)


def step(c, w, token, position, cache):
    return ernie4_5.step(c, w, token, position, cache, network)
