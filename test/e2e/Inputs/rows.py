#!/usr/bin/env python3
"""Compares two files of logits row by row: rows.py A B --same 0,2 --other 1. The named rows, and no further ones, must be
equal to the bit, or differ by more than a hundredth."""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)


def numbers(text):
    return [int(part) for part in text.split(",")]


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("files", nargs=2)
parser.add_argument("--same", type=numbers, required=True)
parser.add_argument("--other", type=numbers, required=True)
arguments = parser.parse_args()
(shape, a), (_, b) = (safetensors.read(path)["logits"] for path in arguments.files)
tokens, vocabulary = shape
if sorted(arguments.same + arguments.other) != list(range(tokens)):
    sys.exit(f"the files have {tokens} rows")
for row in range(tokens):
    part = slice(row * vocabulary, (row + 1) * vocabulary)
    difference = max(abs(x - y) for x, y in zip(a[part], b[part]))
    if row in arguments.same and difference != 0:
        sys.exit(f"row {row} differs by {difference}, expected equal bits")
    if row in arguments.other and difference < 0.01:
        sys.exit(f"row {row} differs by {difference}, expected more than 0.01")
print(f"ok: rows {arguments.same} equal, rows {arguments.other} differ")
