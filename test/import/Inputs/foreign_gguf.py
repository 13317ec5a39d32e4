#!/usr/bin/env python3
"""Makes of a GGUF file of ours one as other programs write it: foreign_gguf.py IN OUT [KEY=VALUE | KEY=@OTHER | KEY=[I]ENTRY | -KEY]…
tokenizer.huggingface.json goes; texts, booleans and what another key has are set, -KEY is left out. Entry I of a list of
texts or numbers becomes ENTRY, x*N being N letters."""
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
        elif value.startswith("["):
            index, _, entry = value[1:].partition("]")
            word, _, times = entry.partition("*")
            begin = 16  # behind the type, that of entries and their number
            if keys[key][4] == 8:
                for _ in range(int(index)):
                    begin += 8 + struct.unpack_from("<Q", keys[key], begin)[0]
                end = begin + 8 + struct.unpack_from("<Q", keys[key], begin)[0]
                keys[key] = keys[key][:begin] + text(word * int(times or 1)) + keys[key][end:]
            else:
                begin += 4 * int(index)
                keys[key] = keys[key][:begin] + struct.pack("<f", float(word)) + keys[key][begin + 4:]
        elif value in ("true", "false"):
            keys[key] = struct.pack("<IB", 7, value == "true")
        else:
            keys[key] = struct.pack("<I", 8) + text(value)
    head = reader.data[:16] + struct.pack("<Q", len(keys)) + b"".join(text(key) + value for key, value in keys.items()) + infos
    with open(out, "wb") as file:
        file.write(head + b"\0" * (-len(head) % 32) + data)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
