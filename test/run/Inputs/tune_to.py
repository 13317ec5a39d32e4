#!/usr/bin/env python3
"""Changes a tuned choice: tune_to.py FILE.tuned KERNEL TENSOR. The sum is made anew, by libxxhash."""
import ctypes
import sys

path, kernel, tensor = sys.argv[1:]
with open(path, encoding="ascii") as file:
    lines = file.read().splitlines(keepends=True)[:-1]
text = "".join(f"{kernel}\t{tensor}\n" if line.startswith(kernel + "\t") else line for line in lines)
library = ctypes.CDLL("libxxhash.so.0")
library.XXH3_64bits.restype = ctypes.c_uint64
library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
data = text.encode("ascii")
with open(path, "w", encoding="ascii") as file:
    file.write(f"{text}sum {library.XXH3_64bits(data, len(data)):016x}\n")
