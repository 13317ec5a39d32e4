#!/usr/bin/env python3
"""Makes of a GGUF file of ours one as other programs write it: foreign_gguf.py IN OUT [KEY=VALUE | KEY=@OTHER | -KEY]…
tokenizer.huggingface.json goes; texts, booleans and what another key has are set, -KEY is left out."""
import struct
import sys

FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


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
        return self.data[self.at - size:self.at]

    def skip(self, kind):
        if kind == 8:
            self.text()
        elif kind == 9:
            inner, count = self.take("I"), self.take("Q")
            for _ in range(count):
                self.skip(inner)
        else:
            self.take(FORMATS[kind])


def text(value):
    return struct.pack("<Q", len(value)) + value


def main(path, out, changes):
    with open(path, "rb") as file:
        reader = Reader(file.read())
    tensors, count = struct.unpack_from("<QQ", reader.data, 8)
    keys = {}
    for _ in range(count):
        key, begin = reader.text(), reader.at
        reader.skip(reader.take("I"))
        keys[key] = reader.data[begin:reader.at]
    begin = reader.at
    for _ in range(tensors):
        reader.text()
        for _ in range(reader.take("I")):
            reader.take("Q")
        reader.take("I"), reader.take("Q")
    infos, data = reader.data[begin:reader.at], reader.data[(reader.at + 31) // 32 * 32:]
    keys.pop(b"tokenizer.huggingface.json", None)
    for change in changes:
        key, equals, value = change.encode().partition(b"=")
        if not equals:
            del keys[key[1:]]
        elif value.startswith(b"@"):
            keys[key] = keys[value[1:]]
        elif value in (b"true", b"false"):
            keys[key] = struct.pack("<IB", 7, value == b"true")
        else:
            keys[key] = struct.pack("<I", 8) + text(value)
    head = reader.data[:16] + struct.pack("<Q", len(keys)) + b"".join(text(key) + value for key, value in keys.items()) + infos
    with open(out, "wb") as file:
        file.write(head + b"\0" * (-len(head) % 32) + data)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
