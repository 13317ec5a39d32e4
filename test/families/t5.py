"""T5: an encoder and a decoder with RMS norms, scores without a scale but with a bias by distance, and attention to the source."""
from reference import *

CONFIG = {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "vocab_size": 96, "d_model": 32, "d_kv": 8,
          "num_heads": 3, "d_ff": 40, "num_layers": 2, "num_decoder_layers": 3, "layer_norm_epsilon": 1e-6,
          "feed_forward_proj": "relu", "relative_attention_num_buckets": 8, "relative_attention_max_distance": 20,
          "tie_word_embeddings": True, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1,
          "is_encoder_decoder": True, "torch_dtype": "float32"}


def is_gated(c):
    return c["feed_forward_proj"].startswith("gated-")


def network(p, c, layer, side):
    """Names and shapes of a feed-forward network."""
    d, f = c["d_model"], c["d_ff"]
    names = ("wi_0", "wi_1") if is_gated(c) else ("wi",)
    return {f"{p}.DenseReluDense.{name}.weight": [f, d] for name in names} | {p + ".DenseReluDense.wo.weight": [d, f]}


def tensors(c, network=network):
    d, inner = c["d_model"], c["num_heads"] * c["d_kv"]
    shapes = {"shared.weight": [c["vocab_size"], d]}
    for side, count in (("encoder", c["num_layers"]), ("decoder", c["num_decoder_layers"])):
        for number in range(count):
            p = f"{side}.block.{number}.layer."
            parts = ["0.SelfAttention"] + (["1.EncDecAttention"] if side == "decoder" else [])
            for part in parts:
                for name in "qkv":
                    shapes[f"{p}{part}.{name}.weight"] = [inner, d]
                shapes[f"{p}{part}.o.weight"] = [d, inner]
                shapes[f"{p}{part[0]}.layer_norm.weight"] = [d]
            if number == 0:
                shapes[p + "0.SelfAttention.relative_attention_bias.weight"] = [c["relative_attention_num_buckets"], c["num_heads"]]
            shapes |= network(f"{p}{len(parts)}", c, number, side)
            shapes[f"{p}{len(parts)}.layer_norm.weight"] = [d]
        shapes[side + ".final_layer_norm.weight"] = [d]
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [c["vocab_size"], d]
    return shapes


def bucket(distance, both, c):
    """Of key position - query position."""
    buckets, first = c["relative_attention_num_buckets"], 0
    if both:
        buckets //= 2
        first = buckets if distance > 0 else 0
        distance = -abs(distance)
    back, single = max(-distance, 0), buckets // 2
    if back < single:
        return first + back
    grown = math.log(back / single) / math.log(c["relative_attention_max_distance"] / single) * (buckets - single)
    return first + min(buckets - 1, single + int(grown))


def attend_with(queries, keys, values, bias):
    """Heads of one row over rows of heads; bias(head, j) joins the score."""
    out = []
    for h, query in enumerate(queries):
        scores = [dot(query, k[h]) + bias(h, j) for j, k in enumerate(keys)]
        largest = max(scores)
        weights = [math.exp(score - largest) for score in scores]
        total = sum(weights)
        out += [sum(weight * v[h][i] for weight, v in zip(weights, values)) / total for i in range(len(query))]
    return out


def feed(c, w, p, layer, side, x, used):
    act = "gelu_new" if c["feed_forward_proj"] == "gated-gelu" else c["feed_forward_proj"].removeprefix("gated-")
    p += ".DenseReluDense"
    if not is_gated(c):
        return linear(w, p + ".wo", activate(act, linear(w, p + ".wi", x)))
    return linear(w, p + ".wo", list(map(mul, activate(act, linear(w, p + ".wi_0", x)), linear(w, p + ".wi_1", x))))


def project(c, w, p, name, x):
    return heads(linear(w, f"{p}.{name}", x), c["num_heads"])


def encode(c, w, ids, feed=feed):
    """What the decoder reads of the source."""
    eps, rows, used = c["layer_norm_epsilon"], [list(w["shared.weight"][token]) for token in ids], {}
    table = w["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    for number in range(c["num_layers"]):
        p = f"encoder.block.{number}.layer."
        a = p + "0.SelfAttention"
        normed = [rms_norm(w, p + "0.layer_norm", x, eps) for x in rows]
        q, k, v = ([project(c, w, a, name, x) for x in normed] for name in "qkv")
        mixed = [attend_with(q[i], k, v, lambda h, j: table[bucket(j - i, True, c)][h]) for i in range(len(rows))]
        rows = [add(x, linear(w, a + ".o", y)) for x, y in zip(rows, mixed)]
        rows = [add(x, feed(c, w, p + "1", number, "encoder", rms_norm(w, p + "1.layer_norm", x, eps), used)) for x in rows]
    return [rms_norm(w, "encoder.final_layer_norm", x, eps) for x in rows]


def step(c, w, token, position, cache, feed=feed):
    """Logits of one position of the decoder; cache["memory"] is what encode() gave."""
    eps, memory, used = c["layer_norm_epsilon"], cache["memory"], cache.setdefault("used", {})
    table = w["decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    x = list(w["shared.weight"][token])
    for number in range(c["num_decoder_layers"]):
        p = f"decoder.block.{number}.layer."
        a, b = p + "0.SelfAttention", p + "1.EncDecAttention"
        normed = rms_norm(w, p + "0.layer_norm", x, eps)
        past = cache.setdefault(number, ([], []))
        past[0].append(project(c, w, a, "k", normed))
        past[1].append(project(c, w, a, "v", normed))
        mixed = attend_with(project(c, w, a, "q", normed), *past, lambda h, j: table[bucket(j - position, False, c)][h])
        x = add(x, linear(w, a + ".o", mixed))
        if ("cross", number) not in cache:
            cache["cross", number] = tuple([project(c, w, b, name, row) for row in memory] for name in "kv")
        normed = rms_norm(w, p + "1.layer_norm", x, eps)
        mixed = attend_with(project(c, w, b, "q", normed), *cache["cross", number], lambda h, j: 0.0)
        x = add(x, linear(w, b + ".o", mixed))
        x = add(x, feed(c, w, p + "2", number, "decoder", rms_norm(w, p + "2.layer_norm", x, eps), used))
    x = rms_norm(w, "decoder.final_layer_norm", x, eps)
    if c["tie_word_embeddings"]:
        return [dot(row, x) * c["d_model"] ** -0.5 for row in w["shared.weight"]]
    return linear(w, "lm_head", x)
