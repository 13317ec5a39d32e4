#!/usr/bin/env python3
"""key_value.py OUT NAME=SHAPE:DTYPE:FILL …: a safetensors file of such tensors. FILL is a number or "random"."""
import json
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import make_checkpoint  # noqa: E402  (test/scripts)

header, data = {}, b""
for argument in sys.argv[2:]:
    name, entry = argument.split("=")
    shape, dtype, fill = entry.split(":")
    shape = [int(extent) for extent in shape.split("x")]
    generator = random.Random(name)
    count = math.prod(shape)
    values = [generator.gauss(0, 1) if fill == "random" else float(fill) for _ in range(count)]
    part = make_checkpoint.encode(values, dtype)
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
    data += part
text = json.dumps(header).encode()
with open(sys.argv[1], "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text + data)
