#!/usr/bin/env python3
"""damage_teacher.py FOLDER OUT KEY VALUE: a copy of a teacher's shards whose metadata say something else. KEY of the form
TENSOR@INDEX:FORMAT changes an entry of a tensor instead."""
import glob
import json
import os
import struct
import sys

folder, out, key, value = sys.argv[1:]
os.makedirs(out, exist_ok=True)
for path in glob.glob(folder + "/*.safetensors"):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    if "@" in key:
        tensor, rest = key.split("@")
        index, kind = rest.split(":")
        width = struct.calcsize(kind)
        at = header[tensor]["data_offsets"][0] + int(index) * width
        body[at:at + width] = struct.pack("<" + kind, float(value) if kind in "fd" else int(value))
    else:
        header["__metadata__"][key] = value
    text = json.dumps(header).encode()
    with open(os.path.join(out, os.path.basename(path)), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + body)
