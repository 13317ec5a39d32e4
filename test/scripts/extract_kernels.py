#!/usr/bin/env python3
"""Writes the SPIR-V of every kernel of an artifact as a file: extract_kernels.py MODEL.xfm FOLDER."""
import json
import os
import struct
import sys

path, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
count = 0
with open(path, "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))
    for name, tensor in header.items():
        if not name.startswith("kernel."):
            continue
        begin, end = tensor["data_offsets"]
        file.seek(8 + length + begin)
        with open(os.path.join(folder, name[len("kernel."):] + ".spv"), "wb") as out:
            out.write(file.read(end - begin))
        count += 1
print(f"{count} kernels of {os.path.basename(path)}")
sys.exit(0 if count else 1)
