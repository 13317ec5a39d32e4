"""Switch Transformers: T5 whose every second network is a mixture. A token takes one expert, if that has room left."""
import t5
from reference import *

CONFIG = {**t5.CONFIG, "architectures": ["SwitchTransformersForConditionalGeneration"], "model_type": "switch_transformers",
          "num_layers": 2, "num_decoder_layers": 2, "num_experts": 3, "expert_capacity": 64, "num_sparse_encoder_layers": 1,
          "num_sparse_decoder_layers": 1, "encoder_sparse_step": 2, "decoder_sparse_step": 2, "router_bias": False, "d_ff": 24}


def is_sparse(c, layer, side):
    step = c[side + "_sparse_step"]
    return step > 0 and (step == 1 or layer % step == 1)


def network(p, c, layer, side):
    d, f, p = c["d_model"], c["d_ff"], p + ".mlp"
    if not is_sparse(c, layer, side):
        return {p + ".wi.weight": [f, d], p + ".wo.weight": [d, f]}
    shapes = {p + ".router.classifier.weight": [c["num_experts"], d]}
    for e in range(c["num_experts"]):
        shapes |= {f"{p}.experts.expert_{e}.wi.weight": [f, d], f"{p}.experts.expert_{e}.wo.weight": [d, f]}
    return shapes


def tensors(c):
    return t5.tensors(c, network)


def feed(c, w, p, layer, side, x, used):
    """`used` counts the tokens of each layer's experts, in the order in which tokens come."""
    act, p = c["feed_forward_proj"], p + ".mlp"
    if not is_sparse(c, layer, side):
        return linear(w, p + ".wo", activate(act, linear(w, p + ".wi", x)))
    scores = linear(w, p + ".router.classifier", x)
    largest = max(scores)
    expert = scores.index(largest)
    used[layer, expert] = used.get((layer, expert), 0) + 1
    if used[layer, expert] > c["expert_capacity"]:
        return [0.0] * len(x)
    share = 1 / sum(math.exp(score - largest) for score in scores)
    e = f"{p}.experts.expert_{expert}"
    return scaled(linear(w, e + ".wo", activate(act, linear(w, e + ".wi", x))), share)


def encode(c, w, ids):
    return t5.encode(c, w, ids, feed)


def step(c, w, token, position, cache):
    return t5.step(c, w, token, position, cache, feed)
