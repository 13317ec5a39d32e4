#!/usr/bin/env python3
"""Merges a PEFT LoRA adapter into a copy of a checkpoint: merge_adapter.py CHECKPOINT ADAPTER FOLDER

W + alpha / r * B A for every linear layer that it names; f32 only, in plain arithmetic, as a second opinion.
"""
import array
import json
import os
import re
import shutil
import struct
import sys

checkpoint, adapter, folder = sys.argv[1:]
shutil.copytree(checkpoint, folder, dirs_exist_ok=True)


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return header, data


def values(header, data, name):
    begin, end = header[name]["data_offsets"]
    return array.array("f", data[begin:end])


with open(os.path.join(adapter, "adapter_config.json"), encoding="utf-8") as file:
    config = json.load(file)
branches, branch_data = read(os.path.join(adapter, "adapter_model.safetensors"))
path = os.path.join(folder, "model.safetensors")
header, data = read(path)
data = bytearray(data)
for name, entry in branches.items():
    if not name.endswith(".lora_A.weight"):
        continue
    module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
    rank, inputs = entry["shape"]
    outputs = header[module + ".weight"]["shape"][0]
    alpha = next((alpha for pattern, alpha in config.get("alpha_pattern", {}).items()
                  if re.match(rf"(.*\.)?({pattern})$", module)), config["lora_alpha"])
    a = values(branches, branch_data, name)
    b = values(branches, branch_data, name.replace("lora_A", "lora_B"))
    merged = values(header, data, module + ".weight")
    for row in range(outputs):
        sums = [0.0] * inputs
        for r in range(rank):
            factor = alpha / rank * b[row * rank + r]
            for column, value in enumerate(a[r * inputs:(r + 1) * inputs]):
                sums[column] += factor * value
        for column, value in enumerate(sums):
            merged[row * inputs + column] += value
    begin, end = header[module + ".weight"]["data_offsets"]
    data[begin:end] = merged.tobytes()
text = json.dumps(header).encode()
with open(path, "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
