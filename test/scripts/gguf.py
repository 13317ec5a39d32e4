"""Reads GGUF files with the standard library only."""
import struct

_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9


class Reader:
    """Goes through a file from the first key on. `tensors` and `keys` say how many there are."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.tensors, self.keys = struct.unpack_from("<QQ", self.data, 8)
        self.at = 24

    def take(self, form):
        (value,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return value

    def text(self):
        size = self.take("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode(errors="surrogateescape")

    def value(self, kind):
        if kind == _TEXT:
            return self.text()
        if kind == _LIST:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take(_FORMATS[kind])

    def entry(self):
        """The next key and its value."""
        return self.text(), self.value(self.take("I"))

    def info(self):
        """Of the next tensor: name, dimensions, type, offset."""
        name = self.text()
        return name, [self.take("Q") for _ in range(self.take("I"))], self.take("I"), self.take("Q")
