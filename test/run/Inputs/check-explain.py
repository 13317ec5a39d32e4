"""check-explain.py CONFIG.json EXPLAIN.json: operations and bytes that --explain gives, against the shapes of a mixtral model of
f32 written out. Operations must be equal; bytes may have pads of weights beyond, 2 %."""
import json
import sys

config = json.load(open(sys.argv[1]))
found = json.load(open(sys.argv[2]))
D, L, V = config["hidden_size"], config["num_hidden_layers"], config["vocab_size"]
heads, kv, head = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
E, K, F = config["num_local_experts"], config["num_experts_per_tok"], config["intermediate_size"]
dense = D * (heads + 2 * kv) * head + heads * head * D + E * D  # of a layer: attention and router
expert = 3 * D * F


def layer_operations(keys):
    """Of one token that sees so many keys."""
    return L * (2 * dense + K * 2 * expert + 4 * heads * head * keys)


def read_experts(rows):
    return E * (1 - (1 - K / E) ** rows)


def check(name, got, expected, slack):
    ok = expected <= got <= expected * (1 + slack) if slack else got == expected
    print(f"{name}: {'ok' if ok else f'got {got}, expected {expected}'}")
    return ok


pp, tg = found["pp"], found["tg"]
good = [check("pp operations", pp["operations"], sum(layer_operations(i + 1) for i in range(pp["n"])), 0),
        check("pp weights", pp["weight_bytes"], 4 * (L * (dense + expert * read_experts(pp["n"])) + pp["n"] * D), 0.02),
        check("pp cache", pp["cache_bytes"], L * 2 * kv * head * 4 * pp["n"], 0)]
first = tg["depth"]
positions = range(first, first + tg["n"])
good += [check("tg operations", tg["operations"], sum(layer_operations(i + 1) + 2 * D * V for i in positions), 0),
         check("tg weights", tg["weight_bytes"], tg["n"] * 4 * (L * (dense + expert * K) + D * V + D), 0.02),
         check("tg cache", tg["cache_bytes"], sum(L * 2 * kv * head * 4 * (i + 1) for i in positions), 0)]
sys.exit(not all(good))
