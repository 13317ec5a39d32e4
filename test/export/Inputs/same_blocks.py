#!/usr/bin/env python3
"""Whether two GGUF files hold the same tensors, byte by byte: same_blocks.py A B [--experts 0,2]

With --experts, A has those experts of B (`_exps` and the router), the rest as in B. Prints how many tensors of each type agree.
"""
import collections
import struct
import sys

FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
BLOCKS = {0: (1, 4), 1: (1, 2), 30: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
          11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 20: (32, 18), 23: (256, 136), 39: (32, 17)}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 24

    def take(self, form):
        (value,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return value

    def text(self):
        size = self.take("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take(FORMATS[kind])


def tensors(path):
    """name -> (type, dims, bytes)"""
    with open(path, "rb") as file:
        reader = Reader(file.read())
    count, keys = struct.unpack_from("<QQ", reader.data, 8)
    alignment = 32
    for _ in range(keys):
        key, value = reader.text(), reader.value(reader.take("I"))
        if key == "general.alignment":
            alignment = value
    infos = []
    for _ in range(count):
        name = reader.text()
        dims = [reader.take("Q") for _ in range(reader.take("I"))]
        infos.append((name, dims, reader.take("I"), reader.take("Q")))
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
