"""What families are made of, decoders one token at a time with a cache, in Python's own doubles: slow and obvious.

A family is a file beside this one with CONFIG, a miniature's config.json; tensors(c), the names and shapes its checkpoint has;
and step(c, w, token, position, cache), the logits of one position, or of an encoder hidden(c, w, ids), its last hidden states,
written from the modelling code of transformers. It shares nothing with the compiler: scripts/make-fixture makes a checkpoint and its expected values of it.
"""
import math
from operator import mul


def dot(a, b):
    return sum(map(mul, a, b))


def linear(w, module, x):
    """W x + b of a module with or without a bias."""
    y = [dot(row, x) for row in w[module + ".weight"]]
    bias = w.get(module + ".bias")
    return y if bias is None else add(y, bias)


def add(*vectors):
    return [sum(entries) for entries in zip(*vectors)]


def scaled(x, factor):
    return [entry * factor for entry in x]


def layer_norm(w, module, x, eps):
    mean = sum(x) / len(x)
    centred = [entry - mean for entry in x]
    factor = 1 / math.sqrt(dot(centred, centred) / len(x) + eps)
    y = [entry * factor * weight for entry, weight in zip(centred, w[module + ".weight"])]
    bias = w.get(module + ".bias")
    return y if bias is None else add(y, bias)


def rms_norm(w, module, x, eps):
    factor = 1 / math.sqrt(dot(x, x) / len(x) + eps)
    return [entry * factor * weight for entry, weight in zip(x, w[module + ".weight"])]


ACTIVATIONS = {
    "relu": lambda x: max(x, 0.0),
    "relu2": lambda x: max(x, 0.0) ** 2,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "gelu_new": lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}
ACTIVATIONS["gelu_pytorch_tanh"] = ACTIVATIONS["gelu_new"]


def activate(name, x):
    return [ACTIVATIONS[name](entry) for entry in x]


def gated(w, module, x, act="silu"):
    """down(act(gate x) * up x)"""
    hidden = map(mul, activate(act, linear(w, module + ".gate_proj", x)), linear(w, module + ".up_proj", x))
    return linear(w, module + ".down_proj", list(hidden))


def heads(x, count):
    size = len(x) // count
    return [x[i * size : (i + 1) * size] for i in range(count)]


def rotate(head, position, theta, n=None, interleaved=False):
    """The first n entries turn: pairs (i, i + n/2), or (2i, 2i + 1) if interleaved."""
    n = n or len(head)
    out = list(head)
    for i in range(n // 2):
        angle = position * theta ** (-2 * i / n)
        a, b = (2 * i, 2 * i + 1) if interleaved else (i, i + n // 2)
        out[a] = head[a] * math.cos(angle) - head[b] * math.sin(angle)
        out[b] = head[b] * math.cos(angle) + head[a] * math.sin(angle)
    return out


def alibi_slopes(count):
    """As BLOOM's build_alibi_tensor has them."""
    power = 2 ** math.floor(math.log2(count))
    slopes = [(2 ** -(2 ** -(math.log2(power) - 3))) ** i for i in range(1, 1 + power)]
    if power != count:
        between = 2 ** -(2 ** -(math.log2(2 * power) - 3))
        slopes += [between ** i for i in range(1, 1 + 2 * (count - power), 2)]
    return slopes


def chosen_by_sigmoid(logits, bias, count):
    """Of experts: those of the largest sigmoids with a bias that is for the choice alone, and their sigmoids without it."""
    scores = [1 / (1 + math.exp(-z)) for z in logits]
    corrected = add(scores, bias)
    chosen = sorted(range(len(scores)), key=lambda e: -corrected[e])[:count]
    return {e: scores[e] for e in chosen}


def attend(cache, layer, queries, keys, values, scale=None, window=None, slopes=None):
    """Puts this position's keys and values into the cache; softmax attention of each query head over what it sees."""
    past = cache.setdefault(layer, [])
    past.append((keys, values))
    seen = past[-window:] if window else past
    group = len(queries) // len(keys)
    out = []
    for h, query in enumerate(queries):
        scores = [dot(query, k[h // group]) * (scale or len(query) ** -0.5) for k, _ in seen]
        if slopes:
            scores = [score + slopes[h] * (j - len(scores) + 1) for j, score in enumerate(scores)]
        largest = max(scores)
        weights = [math.exp(score - largest) for score in scores]
        total = sum(weights)
        for i in range(len(values[0])):
            out.append(sum(weight * v[h // group][i] for weight, (_, v) in zip(weights, seen)) / total)
    return out


def attend_both_ways(queries, keys, values, distance=None):
    """Of each position's query heads over all positions, those at most `distance` away if given. Heads of all positions come in."""
    out = []
    for i, position in enumerate(queries):
        seen = [j for j in range(len(keys)) if distance is None or abs(i - j) <= distance]
        row = []
        for h, query in enumerate(position):
            scores = [dot(query, keys[j][h]) / math.sqrt(len(query)) for j in seen]
            largest = max(scores)
            weights = [math.exp(score - largest) for score in scores]
            total = sum(weights)
            row += [sum(weight * values[j][h][k] for weight, j in zip(weights, seen)) / total for k in range(len(query))]
        out.append(row)
    return out


def head_dim(c):
    return c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]


def projected(c, w, module, x):
    """q, k and v of separate projections, as heads."""
    kv = c.get("num_key_value_heads") or c["num_attention_heads"]
    return (heads(linear(w, module + ".q_proj", x), c["num_attention_heads"]),
            heads(linear(w, module + ".k_proj", x), kv), heads(linear(w, module + ".v_proj", x), kv))


def llama_tensors(c, mlp=("gate_proj", "up_proj", "down_proj"), norm_bias=False, attention_bias=False, mlp_bias=False,
                  second_norm=True, out="o_proj", final="model.norm", head_bias=False):
    """Names and shapes of a layout like Llama's."""
    d, f, h, heads_ = c["hidden_size"], c["intermediate_size"], head_dim(c), c["num_attention_heads"]
    kv = c.get("num_key_value_heads") or heads_
    shapes = {"model.embed_tokens.weight": [c["vocab_size"], d]}

    def norm(name):
        shapes[name + ".weight"] = [d]
        if norm_bias:
            shapes[name + ".bias"] = [d]

    def layer(name, rows, columns, bias):
        shapes[name + ".weight"] = [rows, columns]
        if bias:
            shapes[name + ".bias"] = [rows]

    for number in range(c["num_hidden_layers"]):
        p = f"model.layers.{number}."
        norm(p + "input_layernorm")
        layer(p + "self_attn.q_proj", heads_ * h, d, attention_bias)
        layer(p + "self_attn.k_proj", kv * h, d, attention_bias)
        layer(p + "self_attn.v_proj", kv * h, d, attention_bias)
        layer(p + "self_attn." + out, d, heads_ * h, attention_bias)
        if second_norm:
            norm(p + "post_attention_layernorm")
        for name in mlp[:-1]:
            layer(p + "mlp." + name, f, d, mlp_bias)
        layer(p + "mlp." + mlp[-1], d, f, mlp_bias)
    norm(final)
    if not c.get("tie_word_embeddings"):
        layer("lm_head", c["vocab_size"], d, head_bias)
    return shapes


def head(c, w, x, embedding="model.embed_tokens"):
    return linear(w, embedding if c.get("tie_word_embeddings") else "lm_head", x)


SIZES = {"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 128, "bos_token_id": 1, "eos_token_id": 2,
         "torch_dtype": "float32"}
