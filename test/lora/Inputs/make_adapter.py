#!/usr/bin/env python3
"""Writes a PEFT LoRA adapter for a model: make_adapter.py CONFIG.json FOLDER --rank 4 --alpha 8 MODULE…

MODULE is q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj or down_proj, in a mixture of the Mixtral kind also gate (the
router), w1, w2 or w3 (each in every expert); every layer gets it; or embed_tokens. Values are random but always the same;
with --zeros the file is a hole of zeros, for counting large shapes. --config sets further keys, and rank_pattern shapes
the modules that its patterns match, as PEFT does. --experts limits w1, w2 and w3 to some.
"""
import argparse
import array
import json
import os
import random
import re

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("config")
parser.add_argument("folder")
parser.add_argument("modules", nargs="+")
parser.add_argument("--rank", type=int, default=4)
parser.add_argument("--alpha", type=float, default=8)
parser.add_argument("--zeros", action="store_true")
parser.add_argument("--experts", type=lambda text: [int(n) for n in text.split(",")])
parser.add_argument("--config", dest="keys", action="append", default=[], metavar="KEY=JSON")
arguments = parser.parse_args()
with open(arguments.config, encoding="utf-8") as file:
    config = json.load(file)
keys = {key: json.loads(value) for key, value in (text.split("=", 1) for text in arguments.keys)}

d, f = config["hidden_size"], config["intermediate_size"]
h = config.get("head_dim") or d // config["num_attention_heads"]
q, kv = config["num_attention_heads"] * h, config["num_key_value_heads"] * h
shapes = {"q_proj": (d, q), "k_proj": (d, kv), "v_proj": (d, kv), "o_proj": (q, d),
          "gate_proj": (d, f), "up_proj": (d, f), "down_proj": (f, d)}
experts = config.get("num_local_experts", 0)
shapes |= {"w1": (d, f), "w3": (d, f), "w2": (f, d), "gate": (d, experts)}


def places(layer, module):
    """Paths of the module in a layer, as PEFT names them."""
    prefix = f"model.layers.{layer}."
    if module in ("q_proj", "k_proj", "v_proj", "o_proj"):
        return [prefix + "self_attn." + module]
    if module == "gate":
        return [prefix + "block_sparse_moe.gate"]
    if module in ("w1", "w2", "w3"):
        return [f"{prefix}block_sparse_moe.experts.{expert}.{module}" for expert in arguments.experts or range(experts)]
    return [prefix + "mlp." + module]


def rank_of(place):
    for pattern, rank in keys.get("rank_pattern", {}).items():
        if re.match(rf"(.*\.)?({pattern})$", place):
            return rank
    return arguments.rank


tensors = []
for module in arguments.modules:
    if module == "embed_tokens":
        name = "base_model.model.model.embed_tokens.lora_embedding_"
        rank = rank_of("model.embed_tokens")
        tensors += [(name + "A", [rank, config["vocab_size"]]), (name + "B", [d, rank])]
        continue
    inputs, outputs = shapes[module]
    for layer in range(config["num_hidden_layers"]):
        for place in places(layer, module):
            name, rank = "base_model.model." + place, rank_of(place)
            tensors += [(name + ".lora_A.weight", [rank, inputs]), (name + ".lora_B.weight", [outputs, rank])]
header, at = {}, 0
for name, shape in tensors:
    size = 4 * shape[0] * shape[1]
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
    at += size
text = json.dumps(header).encode()
os.makedirs(arguments.folder, exist_ok=True)
with open(os.path.join(arguments.folder, "adapter_model.safetensors"), "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text)
    if arguments.zeros:
        file.truncate(8 + len(text) + at)
    else:
        generator = random.Random(7)
        for _, (rows, columns) in tensors:
            array.array("f", (generator.gauss(0, 0.05) for _ in range(rows * columns))).tofile(file)
with open(os.path.join(arguments.folder, "adapter_config.json"), "w", encoding="utf-8") as file:
    json.dump({"peft_type": "LORA", "r": arguments.rank, "lora_alpha": arguments.alpha, "target_modules": arguments.modules,
               "bias": "none", "fan_in_fan_out": False} | keys, file)
