#!/usr/bin/env python3
"""without.py FILE SUFFIX OUT: a copy of a safetensors file without the tensors whose names end so."""
import json
import sys

path, suffix, out = sys.argv[1:]
with open(path, "rb") as file:
    data = file.read()
size = int.from_bytes(data[:8], "little")
header, parts, at = {}, [], 0
for name, entry in json.loads(data[8 : 8 + size]).items():
    if name == "__metadata__":
        header[name] = entry
    elif not name.endswith(suffix):
        begin, end = entry["data_offsets"]
        header[name] = {**entry, "data_offsets": [at, at + end - begin]}
        parts.append(data[8 + size + begin : 8 + size + end])
        at += end - begin
text = json.dumps(header).encode()
with open(out, "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))
