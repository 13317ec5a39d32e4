#!/usr/bin/env python3
"""Makes a mixture of equal experts of a dense Llama: upcycle.py CHECKPOINT FOLDER --experts 4

Every expert is the dense feed-forward network and the router is arbitrary; weights of the chosen add up to one, so the mixture is
the dense model (Komatsuzaki et al. 2022).
"""
import argparse
import array
import json
import os
import random
import struct

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("checkpoint")
parser.add_argument("folder")
parser.add_argument("--experts", type=int, default=4)
arguments = parser.parse_args()
with open(os.path.join(arguments.checkpoint, "model.safetensors"), "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    data = file.read()
with open(os.path.join(arguments.checkpoint, "config.json"), encoding="utf-8") as file:
    config = json.load(file)

names = {"gate_proj": "w1", "up_proj": "w3", "down_proj": "w2"}
tensors = {}  # name -> (shape, bytes)
generator = random.Random(3)
for name, entry in header.items():
    if name == "__metadata__":
        continue
    tensor = (entry["shape"], data[slice(*entry["data_offsets"])])
    prefix, separator, module = name.partition(".mlp.")
    if not separator:
        tensors[name] = tensor
        continue
    mixture = prefix + ".block_sparse_moe."
    for expert in range(arguments.experts):
        tensors[f"{mixture}experts.{expert}.{names[module.removesuffix('.weight')]}.weight"] = tensor
    if module.startswith("gate_proj"):
        count = arguments.experts * config["hidden_size"]
        router = array.array("f", (generator.gauss(0, 0.3) for _ in range(count)))
        tensors[mixture + "gate.weight"] = ([arguments.experts, config["hidden_size"]], router.tobytes())

offsets, at = {}, 0
for name, (shape, content) in tensors.items():
    offsets[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(content)]}
    at += len(content)
text = json.dumps(offsets).encode()
os.makedirs(arguments.folder, exist_ok=True)
with open(os.path.join(arguments.folder, "model.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for _, content in tensors.values():
        file.write(content)
config |= {"model_type": "mixtral", "num_local_experts": arguments.experts, "num_experts_per_tok": 2}
with open(os.path.join(arguments.folder, "config.json"), "w", encoding="utf-8") as file:
    json.dump(config, file)
for name in ("tokenizer.json", "tokenizer_config.json"):
    with open(os.path.join(arguments.checkpoint, name), "rb") as source, open(os.path.join(arguments.folder, name), "wb") as out:
        out.write(source.read())
