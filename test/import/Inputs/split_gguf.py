#!/usr/bin/env python3
"""Spreads the tensors of a GGUF file over several: split_gguf.py IN STEM COUNT [--number N] [--total N]. Makes STEM-00001-of-0000N.gguf
and so on; all but the first have no other keys than those of the split. --number: what the second says it is; --total: what the first
says of tensors."""
import argparse
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import gguf  # noqa: E402  (test/scripts)


def text(value):
    data = value.encode(errors="surrogateescape")
    return struct.pack("<Q", len(data)) + data


def number(key, value):
    return text(key) + struct.pack("<IH", 2, value)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input")
    parser.add_argument("stem")
    parser.add_argument("count", type=int)
    parser.add_argument("--number", type=int)
    parser.add_argument("--total", type=int)
    arguments = parser.parse_args()
    reader = gguf.Reader(arguments.input)
    begin = reader.at
    for _ in range(reader.keys):
        reader.entry()
    keys = reader.data[begin:reader.at]
    infos = [reader.info() for _ in range(reader.tensors)]
    data = reader.data[(reader.at + 31) // 32 * 32:]
    ends = [offset for _, _, _, offset in infos[1:]] + [len(data)]
    for part in range(arguments.count):
        own = list(zip(infos, ends))[part::arguments.count]
        head, body = b"", b""
        for (name, dims, kind, offset), end in own:
            head += text(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", n) for n in dims)
            head += struct.pack("<IQ", kind, len(body))
            body += data[offset:end]
            body += bytes(-len(body) % 32)
        said = part if part != 1 or arguments.number is None else arguments.number
        total = arguments.total if arguments.total is not None else len(infos)
        split = number("split.no", said) + number("split.count", arguments.count)
        split += text("split.tensors.count") + struct.pack("<Ii", 5, total)
        count = 3 + (reader.keys if part == 0 else 0)
        out = b"GGUF" + struct.pack("<IQQ", 3, len(own), count) + split + (keys if part == 0 else b"") + head
        with open(f"{arguments.stem}-{part + 1:05}-of-{arguments.count:05}.gguf", "wb") as file:
            file.write(out + bytes(-len(out) % 32) + body)


if __name__ == "__main__":
    main()
