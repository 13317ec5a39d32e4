#!/usr/bin/env python3
"""Prints the scalar metadata of a GGUF file whose keys contain WORD: gguf_keys.py FILE WORD"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import gguf  # noqa: E402  (test/scripts)

reader = gguf.Reader(sys.argv[1])
for _ in range(reader.keys):
    key, value = reader.entry()
    if sys.argv[2] in key and not isinstance(value, list):
        print(f"{key} = {str(value)[:60]}")
