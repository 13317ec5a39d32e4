#!/usr/bin/env python3
"""Makes of a GGUF file of ours one as other programs write it: foreign_gguf.py IN OUT [KEY=VALUE | KEY=@OTHER | -KEY]…
tokenizer.huggingface.json goes; texts, booleans and what another key has are set, -KEY is left out."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import gguf  # noqa: E402  (test/scripts)


def text(value):
    data = value.encode(errors="surrogateescape")
    return struct.pack("<Q", len(data)) + data


def main(path, out, changes):
    reader = gguf.Reader(path)
    keys = {}
    for _ in range(reader.keys):
        key, begin = reader.text(), reader.at
        reader.value(reader.take("I"))
        keys[key] = reader.data[begin:reader.at]
    begin = reader.at
    for _ in range(reader.tensors):
        reader.info()
    infos, data = reader.data[begin:reader.at], reader.data[(reader.at + 31) // 32 * 32:]
    keys.pop("tokenizer.huggingface.json", None)
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            del keys[key[1:]]
        elif value.startswith("@"):
            keys[key] = keys[value[1:]]
        elif value in ("true", "false"):
            keys[key] = struct.pack("<IB", 7, value == "true")
        else:
            keys[key] = struct.pack("<I", 8) + text(value)
    head = reader.data[:16] + struct.pack("<Q", len(keys)) + b"".join(text(key) + value for key, value in keys.items()) + infos
    with open(out, "wb") as file:
        file.write(head + b"\0" * (-len(head) % 32) + data)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
