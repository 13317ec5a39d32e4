"""MPNet: BERT without segments, with a bias by bucketed distance on all scores; positions begin at row 2."""
from reference import *
import t5

CONFIG = {"architectures": ["MPNetModel"], "model_type": "mpnet", "vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2,
          "num_attention_heads": 4, "intermediate_size": 48, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "max_position_embeddings": 66,
          "relative_attention_num_buckets": 32, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32"}


def tensors(c):
    d, f = c["hidden_size"], c["intermediate_size"]
    shapes = {"embeddings.word_embeddings.weight": [c["vocab_size"], d],
              "embeddings.position_embeddings.weight": [c["max_position_embeddings"], d],
              "encoder.relative_attention_bias.weight": [32, c["num_attention_heads"]]}
    norms = ["embeddings.LayerNorm"]
    for number in range(c["num_hidden_layers"]):
        p = f"encoder.layer.{number}."
        for name, rows, columns in [("attention.attn." + part, d, d) for part in "qkvo"] + [("intermediate.dense", f, d), ("output.dense", d, f)]:
            shapes |= {p + name + ".weight": [rows, columns], p + name + ".bias": [rows]}
        norms += [p + "attention.LayerNorm", p + "output.LayerNorm"]
    return shapes | {f"{name}.{part}": [d] for name in norms for part in ("weight", "bias")}


def hidden(c, w, ids):
    count = c["num_attention_heads"]
    norm = lambda name, x: layer_norm(w, name + ".LayerNorm", x, c["layer_norm_eps"])
    states = [norm("embeddings", add(w["embeddings.word_embeddings.weight"][token], w["embeddings.position_embeddings.weight"][t + 2]))
              for t, token in enumerate(ids)]
    buckets = {"relative_attention_num_buckets": 32, "relative_attention_max_distance": 128}
    table = w["encoder.relative_attention_bias.weight"]
    for number in range(c["num_hidden_layers"]):
        p = f"encoder.layer.{number}."
        q, k, v = ([heads(linear(w, f"{p}attention.attn.{part}", x), count) for x in states] for part in "qkv")
        q = [[scaled(head, len(head) ** -0.5) for head in row] for row in q]
        mixed = [t5.attend_with(q[i], k, v, lambda head, j, i=i: table[t5.bucket(j - i, True, buckets)][head]) for i in range(len(ids))]
        states = [norm(p + "attention", add(x, linear(w, p + "attention.attn.o", y))) for x, y in zip(states, mixed)]
        fed = [linear(w, p + "output.dense", activate(c["hidden_act"], linear(w, p + "intermediate.dense", x))) for x in states]
        states = [norm(p + "output", add(x, y)) for x, y in zip(states, fed)]
    return states
