"""Reads tensors of a safetensors file with the standard library only (F32, F64, I32, I64, U8)."""
import array
import json
import sys

_TYPES = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "U8": "B"}


def read(path):
    """name -> (shape, flat array)"""
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = array.array(_TYPES[entry["dtype"]], data[8 + size + begin : 8 + size + end])
        if sys.byteorder == "big":
            values.byteswap()
        tensors[name] = (entry["shape"], values)
    return tensors


def largest_difference(found, expected):
    """Of two flat arrays; NaN or another length counts as infinite."""
    if len(found) != len(expected):
        return float("inf")
    largest = 0.0
    for a, b in zip(found, expected):
        difference = abs(a - b)
        if not difference <= largest:
            largest = difference if difference == difference else float("inf")
    return largest
