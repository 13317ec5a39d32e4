"""DistilBERT: BERT without segments, under names of its own."""
from reference import *

CONFIG = {"architectures": ["DistilBertModel"], "model_type": "distilbert", "vocab_size": 96, "dim": 32, "n_layers": 2, "n_heads": 4,
          "hidden_dim": 48, "activation": "gelu", "max_position_embeddings": 64, "sinusoidal_pos_embds": False, "tie_weights_": True,
          "dropout": 0.1, "attention_dropout": 0.1, "qa_dropout": 0.1, "seq_classif_dropout": 0.2, "initializer_range": 0.02,
          "pad_token_id": 0, "torch_dtype": "float32"}


def tensors(c):
    d, f = c["dim"], c["hidden_dim"]
    shapes = {"embeddings.word_embeddings.weight": [c["vocab_size"], d],
              "embeddings.position_embeddings.weight": [c["max_position_embeddings"], d]}
    norms = ["embeddings.LayerNorm"]
    for number in range(c["n_layers"]):
        p = f"transformer.layer.{number}."
        for name, rows, columns in [("attention." + part + "_lin", d, d) for part in ("q", "k", "v", "out")] + [("ffn.lin1", f, d), ("ffn.lin2", d, f)]:
            shapes |= {p + name + ".weight": [rows, columns], p + name + ".bias": [rows]}
        norms += [p + "sa_layer_norm", p + "output_layer_norm"]
    return shapes | {f"{name}.{part}": [d] for name in norms for part in ("weight", "bias")}


def hidden(c, w, ids):
    norm = lambda name, x: layer_norm(w, name, x, 1e-12)
    states = [norm("embeddings.LayerNorm", add(w["embeddings.word_embeddings.weight"][token], w["embeddings.position_embeddings.weight"][t]))
              for t, token in enumerate(ids)]
    for number in range(c["n_layers"]):
        p = f"transformer.layer.{number}."
        q, k, v = ([heads(linear(w, f"{p}attention.{part}_lin", x), c["n_heads"]) for x in states] for part in "qkv")
        mixed = attend_both_ways(q, k, v)
        states = [norm(p + "sa_layer_norm", add(x, linear(w, p + "attention.out_lin", y))) for x, y in zip(states, mixed)]
        fed = [linear(w, p + "ffn.lin2", activate(c["activation"], linear(w, p + "ffn.lin1", x))) for x in states]
        states = [norm(p + "output_layer_norm", add(x, y)) for x, y in zip(states, fed)]
    return states
