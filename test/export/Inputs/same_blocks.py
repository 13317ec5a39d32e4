#!/usr/bin/env python3
"""Whether two GGUF files hold the same tensors, byte by byte: same_blocks.py A B [--experts 0,2]

With --experts, A has those experts of B (`_exps` and the router), the rest as in B. Prints how many tensors of each type agree.
"""
import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import gguf  # noqa: E402  (test/scripts)

BLOCKS = {0: (1, 4), 1: (1, 2), 30: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
          11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 20: (32, 18), 23: (256, 136), 39: (32, 17)}


def tensors(path):
    """name -> (type, dims, bytes)"""
    reader = gguf.Reader(path)
    alignment = dict(reader.entry() for _ in range(reader.keys)).get("general.alignment", 32)
    infos = [reader.info() for _ in range(reader.tensors)]
    start = -(-reader.at // alignment) * alignment
    found = {}
    for name, dims, kind, offset in infos:
        elements, size = BLOCKS[kind]
        total = size
        for extent in dims:
            total *= extent
        found[name] = (kind, dims, reader.data[start + offset:start + offset + total // elements])
    return found


def main():
    a, b = tensors(sys.argv[1]), tensors(sys.argv[2])
    experts = [int(e) for e in sys.argv[4].split(",")] if len(sys.argv) > 3 else None
    if a.keys() != b.keys():
        sys.exit(f"other tensors: {sorted(a.keys() ^ b.keys())}")
    counts = collections.Counter()
    for name, (kind, dims, data) in a.items():
        other, other_dims, expected = b[name]
        if experts and ("_exps" in name or "ffn_gate_inp" in name):
            size = len(expected) // other_dims[-1]
            expected = b"".join(expected[e * size:(e + 1) * size] for e in experts)
            other_dims = other_dims[:-1] + [len(experts)]
        if (kind, dims) != (other, other_dims) or data != expected:
            sys.exit(f"{name}: type {kind} {dims}, {len(data)} bytes, expected type {other} {other_dims}, {len(expected)} bytes"
                     + (", other bytes" if len(data) == len(expected) else ""))
        counts[kind] += 1
    print(", ".join(f"{count} of type {kind}" for kind, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
