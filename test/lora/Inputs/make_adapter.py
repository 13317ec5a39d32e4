#!/usr/bin/env python3
"""Writes a PEFT LoRA adapter for a model: make_adapter.py CONFIG.json FOLDER --rank 4 --alpha 8 MODULE…

MODULE is q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj or down_proj; every layer gets it. Values are random but always
the same; with --zeros the file is a hole of zeros, for counting large shapes.
"""
import argparse
import array
import json
import os
import random

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("config")
parser.add_argument("folder")
parser.add_argument("modules", nargs="+")
parser.add_argument("--rank", type=int, default=4)
parser.add_argument("--alpha", type=float, default=8)
parser.add_argument("--zeros", action="store_true")
arguments = parser.parse_args()
with open(arguments.config, encoding="utf-8") as file:
    config = json.load(file)

d, f = config["hidden_size"], config["intermediate_size"]
h = config.get("head_dim") or d // config["num_attention_heads"]
q, kv = config["num_attention_heads"] * h, config["num_key_value_heads"] * h
shapes = {"q_proj": (d, q), "k_proj": (d, kv), "v_proj": (d, kv), "o_proj": (q, d),
          "gate_proj": (d, f), "up_proj": (d, f), "down_proj": (f, d)}
tensors = []
for layer in range(config["num_hidden_layers"]):
    for module in arguments.modules:
        part = "self_attn" if module in ("q_proj", "k_proj", "v_proj", "o_proj") else "mlp"
        name = f"base_model.model.model.layers.{layer}.{part}.{module}"
        inputs, outputs = shapes[module]
        tensors += [(name + ".lora_A.weight", [arguments.rank, inputs]), (name + ".lora_B.weight", [outputs, arguments.rank])]
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
               "bias": "none", "fan_in_fan_out": False}, file)
