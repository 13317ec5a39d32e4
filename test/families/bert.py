"""BERT: an encoder with LayerNorm behind both parts of a block, learned positions and segments."""
from reference import *

CONFIG = {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2,
          "num_attention_heads": 4, "intermediate_size": 48, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
          "max_position_embeddings": 64, "type_vocab_size": 2, "position_embedding_type": "absolute", "pad_token_id": 0,
          "torch_dtype": "float32"}


def tensors(c, root=""):
    d, f = c["hidden_size"], c["intermediate_size"]
    shapes = {root + "embeddings.word_embeddings.weight": [c["vocab_size"], d],
              root + "embeddings.position_embeddings.weight": [c["max_position_embeddings"], d],
              root + "embeddings.token_type_embeddings.weight": [c["type_vocab_size"], d]}

    def layer(name, rows, columns):
        shapes.update({name + ".weight": [rows, columns], name + ".bias": [rows]})

    def norm(name):
        shapes.update({name + ".weight": [d], name + ".bias": [d]})

    norm(root + "embeddings.LayerNorm")
    for number in range(c["num_hidden_layers"]):
        p = f"{root}encoder.layer.{number}."
        for name in ("query", "key", "value"):
            layer(p + "attention.self." + name, d, d)
        layer(p + "attention.output.dense", d, d)
        norm(p + "attention.output.LayerNorm")
        layer(p + "intermediate.dense", f, d)
        layer(p + "output.dense", d, f)
        norm(p + "output.LayerNorm")
    layer(root + "pooler.dense", d, d)
    return shapes


def hidden(c, w, ids, types=None, first_position=0, project=lambda x: x):
    e, eps, count = "embeddings.", c["layer_norm_eps"], c["num_attention_heads"]
    norm = lambda name, x: layer_norm(w, name + ".LayerNorm", x, eps)
    states = []
    for t, token in enumerate(ids):
        x = add(w[e + "word_embeddings.weight"][token], w[e + "position_embeddings.weight"][first_position + t])
        x = norm("embeddings", add(x, w[e + "token_type_embeddings.weight"][types[t] if types else 0]))
        states.append(project(x))
    for number in range(c["num_hidden_layers"]):
        p = f"encoder.layer.{number}."
        q, k, v = ([heads(linear(w, p + "attention.self." + name, x), count) for x in states] for name in ("query", "key", "value"))
        mixed = attend_both_ways(q, k, v)
        states = [norm(p + "attention.output", add(x, linear(w, p + "attention.output.dense", y))) for x, y in zip(states, mixed)]
        fed = [linear(w, p + "output.dense", activate(c["hidden_act"], linear(w, p + "intermediate.dense", x))) for x in states]
        states = [norm(p + "output", add(x, y)) for x, y in zip(states, fed)]
    return states
