#!/usr/bin/env python3
"""Writes damaged copies of a GGUF file: damage.py GOOD.gguf FOLDER"""
import os
import struct
import sys

with open(sys.argv[1], "rb") as file:
    good = file.read()
folder = sys.argv[2]


def write(name, data):
    with open(os.path.join(folder, name + ".gguf"), "wb") as file:
        file.write(data)


write("magic", b"GGUX" + good[4:])
write("version", good[:4] + struct.pack("<I", 1) + good[8:])
write("endian", good[:4] + struct.pack(">I", 3) + good[8:])
write("counts", good[:8] + struct.pack("<QQ", 1 << 60, 1 << 60) + good[24:])
write("short", good[:-512])
write("architecture", good.replace(b"llama", b"llamb", 1))
at = good.index(b"token_embd.weight") + len(b"token_embd.weight") + 4 + 16
write("type", good[:at] + struct.pack("<I", 15) + good[at + 4 :])
for i in range(40):
    write(f"cut-{i}", good[: i * (at - 8) // 40])
