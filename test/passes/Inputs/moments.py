#!/usr/bin/env python3
"""Mean and deviation of each tensor of a safetensors file: moments.py FILE"""
import json
import struct
import sys

data = open(sys.argv[1], "rb").read()
(size,) = struct.unpack_from("<Q", data)
for name, tensor in sorted(json.loads(data[8:8 + size]).items()):
    begin, end = (8 + size + offset for offset in tensor["data_offsets"])
    if tensor["dtype"] == "F32":
        values = [value for (value,) in struct.iter_unpack("<f", data[begin:end])]
    else:
        values = [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(begin, end, 2)]
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    print(f"{name} {tensor['dtype']} {tensor['shape']}: mean {mean:.4f}, deviation {deviation:.2f}")
