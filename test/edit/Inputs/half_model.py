#!/usr/bin/env python3
"""half_model.py MODEL OUT F16|BF16: a copy of an f32 checkpoint with weights of 16 bits."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import make_checkpoint  # noqa: E402  (test/scripts)
import safetensors  # noqa: E402

model, out, dtype = sys.argv[1:]
os.makedirs(out, exist_ok=True)
for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
    shutil.copy(os.path.join(model, name), out)
header, data = {}, []
at = 0
for name, (shape, values) in safetensors.read(os.path.join(model, "model.safetensors")).items():
    part = make_checkpoint.encode(values, dtype)
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(part)]}
    at += len(part)
    data.append(part)
text = json.dumps(header).encode()
with open(os.path.join(out, "model.safetensors"), "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text + b"".join(data))
