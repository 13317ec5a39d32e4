#!/usr/bin/env python3
"""tiny_bert.py FOLDER whole|missing|shape|extra: a BERT of one layer, d = 4, f = 2, as a checkpoint that is whole or damaged."""
import json
import os
import struct
import sys

folder, damage = sys.argv[1:]
d, f, vocab, positions = 4, 2, 5, 3
layer = "encoder.layer.0."
shapes = {"embeddings.word_embeddings.weight": [vocab, d], "embeddings.position_embeddings.weight": [positions, d],
          "embeddings.token_type_embeddings.weight": [2, d], "pooler.dense.weight": [d, d], "pooler.dense.bias": [d]}
for norm in ("embeddings.LayerNorm", layer + "attention.output.LayerNorm", layer + "output.LayerNorm"):
    shapes |= {norm + ".gamma": [d], norm + ".beta": [d]}
for name in ("self.query", "self.key", "self.value", "output.dense"):
    shapes |= {f"{layer}attention.{name}.weight": [d, d], f"{layer}attention.{name}.bias": [d]}
shapes |= {layer + "intermediate.dense.weight": [f, d], layer + "intermediate.dense.bias": [f],
           layer + "output.dense.weight": [d, f], layer + "output.dense.bias": [d]}
if damage == "missing":
    del shapes[layer + "output.dense.weight"]
elif damage == "shape":
    shapes[layer + "output.dense.weight"] = [f, d]
elif damage == "extra":
    shapes["encoder.layer.1.output.dense.bias"] = [d]

header, end = {}, 0
for name, shape in shapes.items():
    size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
    end += size
text = json.dumps(header).encode()
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "model.safetensors"), "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text + bytes(end))
with open(os.path.join(folder, "config.json"), "w") as out:
    json.dump({"model_type": "bert", "vocab_size": vocab, "hidden_size": d, "num_hidden_layers": 1, "num_attention_heads": 2,
               "intermediate_size": f, "max_position_embeddings": positions, "type_vocab_size": 2}, out)
