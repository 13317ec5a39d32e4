#!/usr/bin/env python3
"""Prints the scalar metadata of a GGUF file whose keys contain WORD: gguf_keys.py FILE WORD"""
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
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take(FORMATS[kind])


with open(sys.argv[1], "rb") as file:
    reader = Reader(file.read())
(count,) = struct.unpack_from("<Q", reader.data, 16)
for _ in range(count):
    key, value = reader.text(), reader.value(reader.take("I"))
    if sys.argv[2] in key and not isinstance(value, list):
        print(f"{key} = {str(value)[:60]}")
